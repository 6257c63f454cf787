curl -sS '{{url}}' \
  -H 'Content-Type: application/json' \
{{?writes}}  -H "Idempotency-Key: $(uuidgen)" \
  --data-binary @- <<'EOF'
{{body}}
EOF
