<?php
/*
 * "Add Notes to Contact" in PHP, for comparison: php-fpm, PDO, one SQLite file, the schema of
 * migrations/. The checks are those of the service, in its order. It keeps no chains, and no
 * index in their place: it does less.
 *
 * What makes it quick: opcache, connections that stay open between requests, prepared
 * statements, look-ups before the transaction, which is short and BEGIN IMMEDIATE. The
 * conditions that could change meanwhile stand in the INSERT itself.
 *
 * Environment: DATABASE, KEY_FILE, SYNCHRONOUS (FULL or NORMAL).
 */
declare(strict_types=1);

const MAX_BODY_BYTES = 524288;
const MAX_NOTE_BYTES = 65536;
const BUSY_SECONDS = 10;
const TOUCH_EVERY_MS = 60000;
const REQUIRED = [
    'org_id' => 'org ID',
    'member_id' => 'member ID',
    'contact_id' => 'contact ID',
    'note' => 'note',
];
const FLAGS = ['note_visibility', 'note_editable'];

final class Refusal extends Exception
{
    public function __construct(public string $error, public array $messages, public int $status = 200)
    {
        parent::__construct($error);
    }
}

function refuse(string $error, string $message, int $status = 200): never
{
    throw new Refusal($error, [$message], $status);
}

function database(): PDO
{
    $db = new PDO('sqlite:' . getenv('DATABASE'), null, null, [
        PDO::ATTR_PERSISTENT => true,
        PDO::ATTR_TIMEOUT => BUSY_SECONDS,
        PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
        PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_NUM,
    ]);
    $db->exec('PRAGMA synchronous=' . getenv('SYNCHRONOUS') . ';PRAGMA foreign_keys=ON');
    return $db;
}

/** Runs a statement; strings are bound as BLOB unless named in $text. */
function run(PDO $db, string $sql, array $values, array $text = []): PDOStatement
{
    $statement = $db->prepare($sql);
    foreach ($values as $i => $value) {
        $type = match (true) {
            is_int($value) => PDO::PARAM_INT,
            $value === null => PDO::PARAM_NULL,
            in_array($i, $text, true) => PDO::PARAM_STR,
            default => PDO::PARAM_LOB,
        };
        $statement->bindValue($i + 1, $value, $type);
    }
    $statement->execute();
    return $statement;
}

function row(PDO $db, string $sql, array $values): ?array
{
    $statement = run($db, $sql, $values);
    $row = $statement->fetch();
    $statement->closeCursor();
    return $row ?: null;
}

function secret_hash(string $domain, string $secret): string
{
    static $key = null;
    $key ??= file_get_contents(getenv('KEY_FILE'));
    return sodium_crypto_generichash("$domain\0$secret", $key, 32);
}

/** 16 bytes, or null for what is no UUID. */
function uuid_parse(string $text): ?string
{
    return preg_match('/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iD', $text)
        ? hex2bin(str_replace('-', '', $text))
        : null;
}

function uuid_format(string $bytes): string
{
    return vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split(bin2hex($bytes), 4));
}

function uuid_make(int $now_ms): string
{
    $random = random_bytes(10);
    $random[0] = chr(ord($random[0]) & 0x0f | 0x70);
    $random[2] = chr(ord($random[2]) & 0x3f | 0x80);
    return substr(pack('J', $now_ms), 2) . $random;
}

/** 4 or 16 bytes, or null. */
function client_address(): ?string
{
    $address = @inet_pton($_SERVER['REMOTE_ADDR'] ?? '') ?: null;
    $mapped = "\0\0\0\0\0\0\0\0\0\0\xff\xff";
    return $address !== null && str_starts_with($address, $mapped) ? substr($address, 12) : $address;
}

function block_contains(string $network, int $prefix_len, string $address): bool
{
    $whole = $prefix_len >> 3;
    $bits = $prefix_len & 7;
    return strncmp($network, $address, $whole) === 0
        && ($bits === 0 || (ord($network[$whole]) ^ ord($address[$whole])) >> (8 - $bits) === 0);
}

function may_come_from(PDO $db, string $developer_key_id, ?string $address): bool
{
    if ($address === null) {
        return false;
    }
    $blocks = run(
        $db,
        'SELECT network, prefix_len FROM developer_key_networks WHERE developer_key_id = ? AND family = ?',
        [$developer_key_id, strlen($address) === 4 ? 4 : 6]
    );
    foreach ($blocks as [$network, $prefix_len]) {
        if (block_contains($network, $prefix_len, $address)) {
            return true;
        }
    }
    return false;
}

function org_knows(PDO $db, string $org_id, ?string $address, int $now_ms): bool
{
    $keys = run(
        $db,
        'SELECT developer_key_id FROM developer_keys WHERE org_id = ? AND revoked_at IS NULL'
        . ' AND (expires_at IS NULL OR expires_at > ?)',
        [$org_id, $now_ms]
    )->fetchAll(PDO::FETCH_COLUMN);
    foreach ($keys as $key) {
        if (may_come_from($db, $key, $address)) {
            return true;
        }
    }
    return false;
}

function credential(array $body, string $name, string $domain): ?string
{
    $text = $body[$name] ?? null;
    if ($text === null || $text === '') {
        return null;
    }
    return is_string($text) ? secret_hash($domain, $text) : str_repeat("\0", 32);
}

/** Checks 1 to 6 in docs/api.md: [api_key_id, org_id, developer_key_id, when these were last used]. */
function check_access(PDO $db, array $body, ?string $address, int $now_ms): array
{
    $key = credential($body, 'api_key', 'api key')
        ?? refuse('MISSING_API_KEY', 'Missing service instance');
    [$api_key_id, $org_id, $key_used_at] = row(
        $db,
        'SELECT api_key_id, api_keys.org_id, last_used_at FROM api_keys JOIN members USING (member_id)'
        . ' WHERE hash = ? AND revoked_at IS NULL AND active',
        [$key]
    ) ?? refuse('INVALID_API_KEY', 'Invalid API Key');
    $secret = credential($body, 'developer_secret', 'developer secret');
    $developer = $secret === null ? null : row(
        $db,
        'SELECT developer_key_id, last_used_at FROM developer_keys'
        . ' WHERE hash = ? AND org_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)',
        [$secret, $org_id, $now_ms]
    );
    if ($developer !== null && may_come_from($db, $developer[0], $address)) {
        return [$api_key_id, $org_id, $developer[0], $key_used_at, $developer[1]];
    }
    if ($developer !== null || !org_knows($db, $org_id, $address, $now_ms)) {
        refuse('IP_NOT_WHITELISTED', 'IP address not whitelisted');
    }
    if ($secret === null) {
        refuse('MISSING_DEVELOPER_SECRET', 'Missing developer_secret');
    }
    refuse('INVALID_DEVELOPER_SECRET', 'Invalid developer_secret');
}

function is_flag(mixed $value): bool
{
    return $value === null || in_array($value, ['', '0', '1', 0, 1, true, false], true);
}

/** Checks 7 and 8. */
function check_fields(array $body): void
{
    $missing = $invalid = [];
    foreach (REQUIRED as $name => $label) {
        $value = $body[$name] ?? '';
        if ($value === '' || ($name === 'note' && is_string($value) && trim($value) === '')) {
            $missing[] = "Missing $label";
        } elseif (!is_string($value)
            || ($name === 'note' && (strlen($value) > MAX_NOTE_BYTES || str_contains($value, "\0")))) {
            $invalid[] = "Invalid $label";
        }
    }
    if (!is_string($body['note_id'] ?? '')) {
        $invalid[] = 'Invalid note ID';
    }
    foreach (FLAGS as $name) {
        if (!is_flag($body[$name] ?? null)) {
            $invalid[] = "Invalid $name";
        }
    }
    if ($missing) {
        throw new Refusal('MISSING_FIELDS', $missing);
    }
    if ($invalid) {
        throw new Refusal('INVALID_FIELDS', $invalid);
    }
}

/** Checks 9 to 11. */
function check_contact(PDO $db, array $body, string $org_id): array
{
    $contact_id = uuid_parse($body['contact_id']);
    $contact = $contact_id === null ? null : row(
        $db,
        'SELECT contacts.org_id, owner_id, active FROM contacts JOIN members ON member_id = owner_id'
        . ' WHERE contact_id = ?',
        [$contact_id]
    );
    if ($contact === null) {
        refuse('NOT_FOUND', 'Contact does not exist');
    }
    if (uuid_parse($body['org_id']) !== $contact[0] || $contact[0] !== $org_id) {
        refuse('WRONG_ORG', 'You are trying to add a note to a contact that does not belong to your organization');
    }
    if (uuid_parse($body['member_id']) !== $contact[1] || !$contact[2]) {
        refuse('NOT_OWNER', 'The API only supports notes being added by the member that owns the contact.');
    }
    return [$contact_id, $contact[1]];
}

/** Checks 12 and 13: the note's flags. */
function check_note(PDO $db, ?string $note_id, string $contact_id, string $member_id): array
{
    $note = $note_id === null ? null : row(
        $db,
        'SELECT author_id, editable, visible FROM notes WHERE note_id = ? AND contact_id = ?',
        [$note_id, $contact_id]
    );
    if ($note === null || ($note[0] !== $member_id && !$note[2])) {
        refuse('NOTE_NOT_FOUND', 'Note does not exist');
    }
    if ($note[0] !== $member_id && !$note[1]) {
        refuse('NOTE_NOT_EDITABLE', 'Note is not editable');
    }
    return [$note[1], $note[2]];
}

function touch_key(PDO $db, string $table, string $id, ?int $used_at, int $now_ms): void
{
    if ($used_at === null || $now_ms - $used_at >= TOUCH_EVERY_MS) {
        run($db, "UPDATE {$table}s SET last_used_at = ? WHERE {$table}_id = ?", [$now_ms, $id]);
    }
}

/** An absent flag is null. */
function flag(array $body, string $name): ?int
{
    $value = $body[$name] ?? '';
    return $value === '' ? null : (int) $value;
}

function answer(array $body, string $request_id): array
{
    $db = database();
    $now_ms = (int) (microtime(true) * 1000);
    $address = client_address();
    [$api_key_id, $org_id, $developer_key_id, $key_used_at, $developer_used_at] =
        check_access($db, $body, $address, $now_ms);
    check_fields($body);
    [$contact_id, $member_id] = check_contact($db, $body, $org_id);
    $visible = flag($body, 'note_visibility');
    $editable = flag($body, 'note_editable');
    $is_update = ($body['note_id'] ?? '') !== '';
    $note_id = $is_update ? uuid_parse($body['note_id']) : uuid_make($now_ms);

    $db->exec('BEGIN IMMEDIATE');
    try {
        if ($is_update) {
            [$old_editable, $old_visible] = check_note($db, $note_id, $contact_id, $member_id);
            $editable ??= $old_editable;
            $visible ??= $old_visible;
            $kept = run(
                $db,
                'INSERT INTO note_revisions (note_id, version, org_id, content, editable, visible, written_by,'
                . ' written_at, developer_key_id, request_id, address, country, city, network)'
                . ' SELECT note_id, version, notes.org_id, content, editable, visible, written_by, written_at,'
                . ' developer_key_id, request_id, address, country, city, network'
                . ' FROM notes JOIN contacts USING (contact_id) WHERE note_id = ? AND owner_id = ?',
                [$note_id, $member_id]
            )->rowCount();
            run(
                $db,
                'UPDATE notes SET version = version + 1, written_by = ?, written_at = ?, content = ?,'
                . ' editable = ?, visible = ?, developer_key_id = ?, request_id = ?, address = ?,'
                . ' country = NULL, city = NULL, network = NULL WHERE note_id = ?',
                [$member_id, $now_ms, $body['note'], $editable, $visible, $developer_key_id, $request_id,
                    $address, $note_id],
                [2, 6]
            );
        } else {
            $kept = run(
                $db,
                'INSERT INTO notes (note_id, org_id, contact_id, author_id, created_at, version, content,'
                . ' editable, visible, written_by, written_at, developer_key_id, request_id, address)'
                . ' SELECT ?1, org_id, contact_id, owner_id, ?2, 1, ?3, ?4, ?5, owner_id, ?2, ?6, ?7, ?8'
                . ' FROM contacts WHERE contact_id = ?9 AND owner_id = ?10',
                [$note_id, $now_ms, $body['note'], $editable ??= 0, $visible ??= 0, $developer_key_id,
                    $request_id, $address, $contact_id, $member_id],
                [2, 6]
            )->rowCount();
        }
        if ($kept !== 1) {
            refuse('NOT_OWNER', 'The API only supports notes being added by the member that owns the contact.');
        }
        touch_key($db, 'api_key', $api_key_id, $key_used_at, $now_ms);
        touch_key($db, 'developer_key', $developer_key_id, $developer_used_at, $now_ms);
        $db->exec('COMMIT');
    } catch (Throwable $failure) {
        $db->exec('ROLLBACK');
        throw $failure;
    }
    return [
        'note_id' => uuid_format($note_id),
        'contact_id' => uuid_format($contact_id),
        'note_content' => $body['note'],
        'note_editable' => $editable,
        'note_visibility' => $visible,
    ];
}

function read_body(): array
{
    if (($_SERVER['REQUEST_METHOD'] ?? '') !== 'POST') {
        refuse('METHOD_NOT_ALLOWED', 'Method not allowed', 405);
    }
    $text = file_get_contents('php://input', length: MAX_BODY_BYTES + 1);
    if (strlen($text) > MAX_BODY_BYTES) {
        refuse('BODY_TOO_LARGE', 'Request body is too large', 413);
    }
    $body = json_decode($text, true, 16);
    if (!is_array($body) || ($text[0] ?? '') === '[') {
        refuse('INVALID_JSON', 'Request body is not valid JSON', 400);
    }
    return $body;
}

function send(array $answer, int $status, string $request_id, ?string $error = null): void
{
    $text = json_encode($answer, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
    http_response_code($status);
    header('Content-Type: application/json');
    header('Content-Length: ' . strlen($text));
    header('Cache-Control: no-store');
    header('X-Content-Type-Options: nosniff');
    header("X-Request-Id: $request_id");
    if ($error !== null) {
        header("X-Error-Code: $error");
    }
    echo $text;
}

$request_id = $_SERVER['HTTP_X_REQUEST_ID'] ?? '';
if (!preg_match('/^[A-Za-z0-9._-]{1,64}$/D', $request_id)) {
    $request_id = bin2hex(random_bytes(16));
}
try {
    send(['data' => answer(read_body(), $request_id), 'status' => 'success'], 200, $request_id);
} catch (Refusal $refusal) {
    send(['data' => $refusal->messages, 'status' => 'error'], $refusal->status, $request_id, $refusal->error);
} catch (Throwable $failure) {
    error_log((string) $failure);
    send(['data' => ['The note was not stored. Try again.'], 'status' => 'error'], 503, $request_id, 'UNAVAILABLE');
}
