// From the developer secret alone to a note that is read back, by fetch and JSON.stringify.

const { ORIGIN, DEVELOPER_SECRET, EMAIL, NOTE } = process.env;

async function call(path, fields) {
  const response = await fetch(`${ORIGIN}/apis/v2/public/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(fields),
  });
  const { status, data } = await response.json();
  if (status !== "success") {
    console.error(data.join("\n"));
    process.exit(2);
  }
  return data;
}

const secret = { developer_secret: DEVELOPER_SECRET };
const { api_key, org_id, members } = await call("developers/fetchIdentifiers", secret);
const keys = { ...secret, api_key, org_id };
const member = { ...keys, member_id: members[0].member_id };

const added = await call("crm/addContactsFull", {
  ...member,
  contact: { firstName: "Zoë", lastName: "O'Neill/Łuczak", primaryEmail: EMAIL },
  entity: { name: "Müller & Söhne" },
});
const found = await call("crm/lookupContact", { ...keys, search_string: EMAIL.toUpperCase() });
const contact = { ...member, contact_id: found.contact.contact_id };

const add = "crm/addNotestoContact";
const { note_id } = await call(add, { ...contact, note: "first", note_visibility: 1 });
await call(add, { ...contact, note_id, note: NOTE, note_editable: true });
const wanted = { include_notes: 1, include_entity: true };
const read = await call("crm/fetchContact", { ...contact, ...wanted });
process.stdout.write(JSON.stringify([added.contact_id, note_id, read]));
