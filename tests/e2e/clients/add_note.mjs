// How JavaScript programs call the published API: fetch and JSON.stringify.

const { URL: url, API_KEY, DEVELOPER_SECRET, ORG_ID, MEMBER_ID, CONTACT_ID, NOTE } = process.env;

const response = await fetch(url, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({
    api_key: API_KEY,
    developer_secret: DEVELOPER_SECRET,
    org_id: ORG_ID,
    member_id: MEMBER_ID,
    contact_id: CONTACT_ID,
    note: NOTE,
    note_visibility: 1,
    note_editable: false,
    note_id: null,
  }),
});

const text = await response.text();
const { status, data } = JSON.parse(text);
if (status !== "success") {
  console.error(data.join("\n"));
  process.exit(2);
}
process.stdout.write(text);
