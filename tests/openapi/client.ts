/*
 * A program that uses the types which openapi-typescript makes of the OpenAPI document. It is
 * only compiled: tests/openapi/run.
 */
import type { components, operations, paths } from './api.js';

type Schemas = components['schemas'];
type Path = '/apis/v2/public/crm/addNotestoContact';
type Body = paths[Path]['post']['requestBody']['content']['application/json'];
type Answers = operations['addNotestoContact']['responses'];
type Answer = Answers[200]['content']['application/json'];
type Refusal = Answers[401]['content']['application/json'];

export const path: Path = '/apis/v2/public/crm/addNotestoContact';

export const note: Schemas['addNotestoContactRequest'] = {
  api_key: 'zak_…',
  developer_secret: 'zdk_…',
  org_id: '…',
  member_id: '…',
  contact_id: '…',
  note: 'Had a great demo call.',
  note_visibility: 1,
};

export const help: Body = { help: true };

/* A flag is 0 or 1; some other forms are accepted, but not every value is. */
export const flags: Schemas['Flag'][] = [0, 1, '0', '1', false, true];
// @ts-expect-error
export const wrong: Schemas['Flag'] = 2;
// @ts-expect-error
export const incomplete: Schemas['addNotestoContactRequest'] = { note: 'x' };

export async function addNote(origin: string, body: Body): Promise<string> {
  const answer = await fetch(origin + path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { Prefer: 'status=strict' },
  });
  if (answer.status === 401) {
    const refusal: Refusal = await answer.json();
    throw new Error(refusal.data.join(', '));
  }
  const told: Answer = await answer.json();
  if (told.status === 'success' && 'note_id' in told.data) return told.data.note_id;
  throw new Error(`${answer.headers.get('X-Error-Code')}: ${JSON.stringify(told.data)}`);
}
