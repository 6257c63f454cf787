#!/bin/bash
# From the developer secret alone to a note that is read back, by curl. The bodies come on
# standard input, so that no key is among the arguments that other users of the host see.
set -euo pipefail

call() {
    local answer
    answer=$(curl -sS --max-time 60 -H 'Content-Type: application/json' -d @- \
        "$ORIGIN/apis/v2/public/$1")
    if [[ $answer != *'"status":"success"}' ]]; then
        sed 's/^{"data":\["//; s/"\],"status":"error"}$//; s/","/\n/g' <<<"$answer" >&2
        exit 2
    fi
    printf %s "$answer"
}

# The first member of that name in an answer.
value() {
    grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4
}

known=$(call developers/fetchIdentifiers <<<"{\"developer_secret\":\"$DEVELOPER_SECRET\"}")
keys="\"developer_secret\":\"$DEVELOPER_SECRET\",\"api_key\":\"$(value api_key <<<"$known")\""
keys+=",\"org_id\":\"$(value org_id <<<"$known")\""
member="$keys,\"member_id\":\"$(value member_id <<<"$known")\""

person="{\"firstName\":\"Zoë\",\"lastName\":\"O'Neill/Łuczak\",\"primaryEmail\":\"$EMAIL\"}"
added=$(call crm/addContactsFull <<<"{$member,\"contact\":$person,\"entity\":{\"name\":\"Müller & Söhne\"}}")
found=$(call crm/lookupContact <<<"{$keys,\"search_string\":\"${EMAIL^^}\"}")
contact="$member,\"contact_id\":\"$(value contact_id <<<"$found")\""

first=$(call crm/addNotestoContact <<<"{$contact,\"note\":\"first\",\"note_visibility\":1}" | value note_id)
text=${NOTE//\\/\\\\}
text=${text//\"/\\\"}
text=${text//$'\n'/\\n}
call crm/addNotestoContact <<<"{$contact,\"note_id\":\"$first\",\"note\":\"$text\",\"note_editable\":1}" >/dev/null
read=$(call crm/fetchContact <<<"{$contact,\"include_notes\":1,\"include_entity\":1}")
read=${read#'{"data":'}
printf '["%s","%s",%s]' "$(value contact_id <<<"$added")" "$first" "${read%,\"status\":\"success\"\}}"
