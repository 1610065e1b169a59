-- What wrk asks: the path of each line of a file in turn, as a browser asks, or
-- as a mailbox provider posts.  At the end the counts, as JSON.
--
--   wrk ... -s trackd_load.lua URL -- FILE PREFIX SUFFIX METHOD close|keep once|again

local requests, at, again = {}, 0, true

local browser = {
	["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) " ..
		"Gecko/20100101 Firefox/128.0",
	["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9," ..
		"*/*;q=0.8",
	["Accept-Language"] = "en-US,en;q=0.5",
	["Accept-Encoding"] = "gzip, deflate, br",
	["Upgrade-Insecure-Requests"] = "1",
	["Sec-Fetch-Dest"] = "document",
	["Sec-Fetch-Mode"] = "navigate",
	["Sec-Fetch-Site"] = "cross-site",
	["X-Forwarded-For"] = "192.0.2.77",
	["X-Forwarded-Proto"] = "https",
}
local provider = {
	["Content-Type"] = "application/x-www-form-urlencoded",
	["X-Forwarded-For"] = "192.0.2.77",
}

function init(args)
	local fields = args[4] == "POST" and provider or browser
	local body = args[4] == "POST" and "List-Unsubscribe=One-Click" or nil

	fields["Host"] = wrk.headers["Host"]
	if args[5] == "close" then
		fields["Connection"] = "close"
	end
	for line in io.lines(args[1]) do
		requests[#requests + 1] = wrk.format(args[4],
			args[2] .. line .. args[3], fields, body)
	end
	again = args[6] ~= "once"
end

-- The last one may be asked once more while the others are answered.
function request()
	if at == #requests then
		if again then
			at = 0
		else
			wrk.thread:stop()
			return requests[at]
		end
	end
	at = at + 1
	return requests[at]
end

function done(summary, latency, requests)
	local e = summary.errors
	io.write(string.format('{"requests": %d, "seconds": %.6f, ' ..
		'"p50_ms": %.3f, "p99_ms": %.3f, "failed": %d}\n',
		summary.requests, summary.duration / 1e6,
		latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
		e.connect + e.read + e.write + e.status + e.timeout))
end
