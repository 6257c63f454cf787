-- Load for wrk: sends the bodies of a file, one a line, over and over, and looks at every
-- answer. A success is HTTP 200 with a body that says so, or, where a CODE is given, HTTP 200
-- with that X-Error-Code; everything else is counted as failed, and the first of those is kept.
--
--     BENCH_RESULT=FILE wrk -t 1 ... -s load.lua URL -- BODIES [CODE]
--
-- Writes one JSON object into the file that BENCH_RESULT names.

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(args)
    requests, next_request = {}, 0
    succeeded, failed, first_failure = 0, 0, ""
    code = args[2] or ""
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    for body in io.lines(args[1]) do
        requests[#requests + 1] = wrk.format(nil, nil, nil, body)
    end
end

function request()
    next_request = next_request % #requests + 1
    return requests[next_request]
end

local good_end = '"status":"success"}'

local function good(headers, body)
    if code ~= "" then
        return headers["X-Error-Code"] == code
    end
    return string.sub(body, -#good_end) == good_end
end

function response(status, headers, body)
    if status == 200 and good(headers, body) then
        succeeded = succeeded + 1
        return
    end
    failed = failed + 1
    if failed == 1 then
        first_failure = status .. " " .. string.sub(body, 1, 300)
    end
end

local function quoted(text)
    return '"' .. string.gsub(text, '[%c"\\\128-\255]', function(c)
        return string.format("\\u%04x", string.byte(c))
    end) .. '"'
end

function done(summary, latency, requests)
    local good, bad, failure = 0, 0, ""
    for _, thread in ipairs(threads) do
        good = good + thread:get("succeeded")
        bad = bad + thread:get("failed")
        if failure == "" then
            failure = thread:get("first_failure")
        end
    end
    local errors = summary.errors
    local out = assert(io.open(os.getenv("BENCH_RESULT"), "w"))
    out:write(string.format(
        '{"seconds":%.6f,"succeeded":%d,"failed":%d,"first_failure":%s,' ..
        '"connect_errors":%d,"read_errors":%d,"write_errors":%d,"timeouts":%d,' ..
        '"p50_ms":%.3f,"p99_ms":%.3f,"p999_ms":%.3f,"max_ms":%.3f}\n',
        summary.duration / 1e6, good, bad, quoted(failure),
        errors.connect, errors.read, errors.write, errors.timeout,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        latency:percentile(99.9) / 1e3, latency.max / 1e3))
    out:close()
end
