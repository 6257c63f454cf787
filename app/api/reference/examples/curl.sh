curl -sS '{{url}}' \
  -H 'Content-Type: application/json' \
{{?writes}}  -H "Idempotency-Key: $(openssl rand -hex 16)" \
  --data-binary @- <<'EOF'
{{body}}
EOF
