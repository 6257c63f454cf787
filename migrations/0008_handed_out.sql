-- fetchIdentifiers hands out an API key with a developer key, where an operator wants it.

-- API keys that are handed out: of these, and of no others, the text is kept.
CREATE TABLE handed_out_keys (
    developer_key_id BLOB PRIMARY KEY REFERENCES developer_keys,
    api_key_id       BLOB NOT NULL REFERENCES api_keys,
    sealed           BLOB NOT NULL                  -- its present text, sealed with the key file
) STRICT;
