-- Asks Countersign about each request before HAProxy passes it on.
-- HAProxy 2.6 or newer: its own HTTP client. The service is registered with proxy = "nginx": this
-- sets the same headers as deploy/examples/nginx.

local broker = "http://127.0.0.1:8351/v1/forward-auth/orders"
local timeout = 2000 -- milliseconds, for each of a few attempts
-- The most headers of a question. HAProxy's client takes tune.http.maxhdr of them, and HAProxy 2.6
-- crashes over more.
local most = 96

-- Headers of the connection, and those that are set below, over what a client brings.
local own = {
    ["host"] = true, ["connection"] = true, ["content-length"] = true,
    ["transfer-encoding"] = true,
    ["x-original-method"] = true, ["x-original-uri"] = true, ["x-original-host"] = true,
    ["x-original-ip"] = true, ["x-original-proto"] = true, ["x-original-framing"] = true,
}
-- What the service is told; set on every request, empty if it says nothing.
local told = {
    "x-countersign-principal", "x-countersign-account", "x-countersign-user-id",
    "x-countersign-session", "x-countersign-source-identity", "x-countersign-tags",
    "x-countersign-content-sha256",
}

local function refuse(txn, status, reason, message)
    local reply = txn:reply({ status = status })
    reply:add_header("content-type", "application/json")
    reply:set_body(string.format('{"reason":"%s","message":"%s"}\n', reason, message))
    txn:done(reply)
end

local function first(headers, name)
    local values = headers and headers[name]
    return values and values[0] or ""
end

core.register_action("countersign", { "http-req" }, function(txn)
    local arrived = txn.http:req_get_headers()
    local asked = {}
    local count = 6 -- those that are set below
    for name, values in pairs(arrived) do
        if not own[name] then
            asked[name] = {}
            for at = 0, #values do
                if values[at] then
                    table.insert(asked[name], values[at])
                    count = count + 1
                end
            end
        end
    end
    if count > most then
        return refuse(txn, 403, "TooManyHeaders", "The request has too many headers.")
    end
    local hosts = arrived["host"]
    if not hosts or #hosts ~= 0 then
        return refuse(txn, 403, "HostNotServed", "The request has no host, or several.")
    end
    asked["x-original-method"] = { txn.sf:method() }
    asked["x-original-uri"] = { txn.sf:pathq() }
    asked["x-original-host"] = { hosts[0] }
    asked["x-original-ip"] = { txn.sf:src() }
    asked["x-original-proto"] = { txn.f:ssl_fc() and "https" or "http" }
    asked["x-original-framing"] = {
        "HTTP/" .. txn.sf:req_ver() .. ";" .. first(arrived, "content-length")
            .. ";" .. first(arrived, "transfer-encoding"),
    }
    local client = core.httpclient()
    local answer = client:get({ url = broker, headers = asked, timeout = timeout })
    if not answer or (answer.status ~= 200 and answer.status ~= 401 and answer.status ~= 403) then
        return refuse(txn, 503, "ServiceUnavailable", "The request cannot be verified now.")
    end
    if answer.status ~= 200 then
        return refuse(txn, answer.status, first(answer.headers, "x-countersign-reason"),
            first(answer.headers, "x-countersign-message"))
    end
    for _, name in ipairs(told) do
        txn.http:req_set_header(name, first(answer.headers, name))
    end
    -- Last: haproxy.cfg passes on no request without it.
    txn:set_var("txn.countersign", true)
end)
