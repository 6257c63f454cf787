<?php
$body = {{body}};
$context = stream_context_create(['http' => [
    'method' => 'POST',
    'header' => [
        'Content-Type: application/json',
{{?writes}}        'Idempotency-Key: ' . bin2hex(random_bytes(16)),
    ],
    'content' => json_encode($body),
    'ignore_errors' => true, // read the body of errors, too
    'timeout' => 30,
]]);
$url = '{{url}}';
$text = file_get_contents($url, false, $context);
if ($text === false) {
    throw new RuntimeException('There is no answer.');
}
$answer = json_decode($text, true);
if ($answer['status'] !== 'success') {
    throw new RuntimeException(implode(', ', $answer['data']));
}
print_r($answer['data']);
