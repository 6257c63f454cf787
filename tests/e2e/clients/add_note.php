<?php
// How PHP programs call the published API: flags as strings or booleans, json_encode as it
// is (which escapes "/" and everything beyond ASCII), and no Content-Type.

$fields = [
    'api_key' => getenv('API_KEY'),
    'developer_secret' => getenv('DEVELOPER_SECRET'),
    'org_id' => getenv('ORG_ID'),
    'member_id' => getenv('MEMBER_ID'),
    'contact_id' => getenv('CONTACT_ID'),
    'note' => getenv('NOTE'),
    'note_visibility' => '1',
    'note_editable' => true,
    'note_id' => '',
];

$ch = curl_init(getenv('URL'));
curl_setopt_array($ch, [
    CURLOPT_POST => true,
    CURLOPT_POSTFIELDS => json_encode($fields),
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT => 60,
]);
$answer = curl_exec($ch);
if ($answer === false) {
    fwrite(STDERR, curl_error($ch) . "\n");
    exit(1);
}

$decoded = json_decode($answer, true);
if ($decoded['status'] !== 'success') {
    fwrite(STDERR, implode("\n", $decoded['data']) . "\n");
    exit(2);
}
echo $answer;
