<?php
$body = {{body}};
$curl = curl_init('{{url}}');
curl_setopt_array($curl, [
    CURLOPT_POSTFIELDS => json_encode($body),
    CURLOPT_HTTPHEADER => [
        'Content-Type: application/json',
{{?writes}}        'Idempotency-Key: ' . bin2hex(random_bytes(16)),
    ],
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT => 30,
]);
$text = curl_exec($curl);
if ($text === false) {
    throw new RuntimeException(curl_error($curl));
}
$answer = json_decode($text, true);
if ($answer['status'] !== 'success') {
    throw new RuntimeException(implode(', ', $answer['data']));
}
print_r($answer['data']);
