{{?writes}}import { randomUUID } from "node:crypto";
{{?writes}}
const body = {{body}};
const response = await fetch("{{url}}", {
  method: "POST",
  headers: {
    "Content-Type": "application/json",
{{?writes}}    "Idempotency-Key": randomUUID(),
  },
  body: JSON.stringify(body),
});
const answer = await response.json();
if (answer.status !== "success") {
  throw new Error(answer.data.join(", "));
}
console.log(answer.data);
