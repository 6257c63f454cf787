curl -X POST https://app.zyntrohq.com/apis/v2/public/crm/addNotestoContact \
-H "Content-Type: application/json" \
-d '{
"api_key": "YOUR_API_KEY",
"developer_secret": "YOUR_DEVELOPER_SECRET",
"org_id": "YOUR_ORG_ID",
"member_id": "YOUR_MEMBER_ID",
"contact_id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
"note": "Had a great demo call. Interested in the enterprise plan.",
"note_visibility": 1
}'
