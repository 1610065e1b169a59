#!/bin/bash
# key_token.sh - `bulkhead key` and `bulkhead token`: what they make, refuse,
# print, and return.  TAP on stdout.
set -u
bulkhead=${BULKHEAD_BUILDDIR:-.}/bulkhead
make=${BULKHEAD_BUILDDIR:-.}/tests/tools/token_make
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
count=0

# ok NAME COMMAND...: is COMMAND true?
ok()
{
	local name=$1
	shift
	count=$((count + 1))
	if "$@" >check.out 2>&1; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		sed 's/^/# /' out err check.out 2>/dev/null
	fi
}

# run CODE NAME ARG...: bulkhead ARG..., stdout in out, stderr in err.
run()
{
	local code=$1 name=$2 rc
	shift 2
	"$bulkhead" "$@" >out 2>err </dev/null
	rc=$?
	ok "$name: exit $code" test "$rc" -eq "$code"
}

# json FILE EXPRESSION: is the Python expression over j, and over each line of
# lines, true?
json()
{
	/usr/bin/python3 - "$1" "$2" <<-'PY'
	import json, sys
	lines = [json.loads(l) for l in open(sys.argv[1], encoding="utf-8")] \
	    if sys.argv[2].startswith("lines") else None
	j = None if lines else json.load(open(sys.argv[1], encoding="utf-8"))
	sys.exit(0 if eval(sys.argv[2]) else 1)
	PY
}

mode() { test "$(stat -c %a "$1")" = "$2"; }
year=$(date -u +%Y)

# key create
run 0 'create' key create News.Example.com --dir "$work/etc/keys"
dir=$work/etc/keys/news.example.com
ok 'rsa key is 0640' mode "$dir/s${year}a.pem" 640
ok 'ed25519 key is 0640' mode "$dir/e${year}a.pem" 640
ok 'directories are 0750' mode "$dir" 750
ok 'openssl reads the rsa key' \
    grep -q '^Private-Key: (2048 bit' <(openssl pkey -in "$dir/s${year}a.pem" -noout -text)
ok 'openssl reads the ed25519 key' \
    grep -q '^ED25519 Private-Key' <(openssl pkey -in "$dir/e${year}a.pem" -noout -text)
ok 'no secret on stdout' test "$(grep -c 'PRIVATE' out)" -eq 0
ok 'zone line' grep -qE "^s${year}a\._domainkey\.news\.example\.com\. IN TXT \( \"v=DKIM1; k=rsa; p=[^\"]{1,240}\" \"[^\"]{1,255}\" \)$" out
ok 'sign line' grep -qF "sign \"e${year}a\" { key = \"$dir/e${year}a.pem\" }" out
p=$(openssl pkey -in "$dir/s${year}a.pem" -pubout -outform DER | base64 -w0)
ok 'the record is the public half' \
    test "$(sed -n 's/^s.* IN TXT ( //p' out | sed 's/" "//; s/" )$//; s/.*p=//')" = "$p"
p=$(openssl pkey -in "$dir/e${year}a.pem" -pubout -outform DER | tail -c 32 | base64 -w0)
ok 'so is the ed25519 one' grep -qF "k=ed25519; p=$p\"" out
before=$(sha256sum "$dir"/*)
run 0 'create again takes the next letter' key create news.example.com --dir etc/keys --json
ok 'next letter, absolute path' json out "[k['file'] for k in j['keys']] == ['$dir/s${year}b.pem', '$dir/e${year}b.pem']"
ok 'json has the record' json out "j['keys'][1]['record'].startswith('v=DKIM1; k=ed25519; p=') and j['keys'][0]['bits'] == 2048"
ok 'the first keys are as they were' test "$before" = "$(sha256sum "$dir"/?"${year}"a.pem)"
run 73 'an existing selector' key create news.example.com --dir etc/keys --selector-rsa "s${year}a" --selector-ed25519 new
ok 'is never overwritten' grep -q 'never overwritten' err
ok 'and nothing is made' test ! -e "$dir/new.pem"
run 0 'own selectors' key create example.org --dir etc/keys --selector-rsa S.One --selector-ed25519 e-1
ok 'lower case' test -e etc/keys/example.org/s.one.pem
run 64 'the same selector twice' key create example.org --dir etc/keys --selector-rsa x --selector-ed25519 x
run 64 'a selector with a slash' key create example.org --dir etc/keys --selector-rsa ../x
run 64 'a domain with a slash' key create ../example.org --dir etc/keys
run 64 'no domain' key create --dir etc/keys
run 64 'few bits' key create example.net --dir etc/keys --bits 1024
run 64 'no number of bits' key create example.net --dir etc/keys --bits 02048
run 73 'a directory that is a file' key create example.net --dir "$dir/s${year}a.pem"
run 64 'no such verb' key rotate
run 64 'no verb' key
run 64 'no such option' key list --frob
run 0 'help' key --help
ok 'help is on stdout' grep -q '^usage: bulkhead key create' out

# token create
run 0 'token create --dir' token create --dir etc
ok 'token.keys is 0640' mode etc/token.keys 640
ok 'return-path.keys is 0640' mode etc/return-path.keys 640
ok 'the format' grep -qE "^${year}a [A-Za-z0-9+/]{86}==$" etc/token.keys
ok 'two different keys' test "$(cat etc/token.keys)" != "$(cat etc/return-path.keys)"
ok 'no key on stdout' test "$(grep -cF "$(cut -d' ' -f2 etc/token.keys)" out)" -eq 0
before=$(sha256sum etc/*.keys)
run 73 'token create again' token create --dir etc
ok 'overwrites nothing' test "$before" = "$(sha256sum etc/*.keys)"
ok 'and says so' grep -q 'etc/token.keys exists: left as it is' err

cat >bulkhead.conf <<END
store = "sqlite:$work"
token-keys = "$work/new/token.keys"
return-path-keys = "$work/new/return-path.keys"
domain "news.example.com" {
    sign "e1" { key = "$dir/e${year}a.pem" }
    sign "s1" { key = "$dir/s${year}a.pem" }
    tracking-url = "https://t.example.com"
    return-path-domain = "b.example.com"
    unsubscribe-mailto = "unsubscribe@b.example.com"
}
domain "example.org" {
    tracking-url = "https://t.example.org"
}
stream "newsletter" {
    match { from-domain = { "*.example.com" } }
    unsubscribe = header
}
END
run 0 'token create by the settings' token create -c bulkhead.conf --json
ok 'json' json out "j['token-keys'] == '$work/new/token.keys' and j['return-path-keys'] == '$work/new/return-path.keys'"
ok 'made both' test -s new/token.keys -a -s new/return-path.keys
run 0 'token list' token list -c bulkhead.conf
ok 'names' grep -qE "^token-keys +${year}a +[0-9a-f]{8} +encrypts" out
ok 'never secrets' test "$(grep -cF "$(cut -d' ' -f2 new/token.keys | head -c 20)" out)" -eq 0
run 0 'token list --json' token list -c bulkhead.conf --json
ok 'json' json out "[(k['keys'], k['name'], k['first']) for k in j] == [('token-keys', '${year}a', True), ('return-path-keys', '${year}a', True)]"
run 78 'no settings' token list -c missing.conf
run 64 'create with an argument' token create x
run 64 'show without' token show -c bulkhead.conf
run 0 'help' token --help

# key list and dns
run 0 'key list' key list -c bulkhead.conf
ok 'rsa first' grep -qE "^news\.example\.com +s1 +rsa +2048 +$dir/s${year}a\.pem$" <(sed -n 2p out)
run 0 'key list --json' key list -c bulkhead.conf --json
ok 'json' json out "[(k['domain'], k['selector'], k['algorithm'], k['bits']) for k in j] == [('news.example.com', 's1', 'rsa', 2048), ('news.example.com', 'e1', 'ed25519', 256)]"
run 0 'key dns' key dns -c bulkhead.conf
ok 'both records' test "$(grep -c '^[se]1._domainkey.news.example.com. IN TXT ( "v=DKIM1;' out)" -eq 2
run 0 'key dns DOMAIN' key dns NEWS.example.com -c bulkhead.conf --json
ok 'json' json out "len(j) == 2 and j[1]['name'] == 'e1._domainkey.news.example.com'"
run 1 'key dns of another' key dns example.org -c bulkhead.conf
chmod 644 "$dir/s${year}a.pem"
run 78 'a key that others can read' key list -c bulkhead.conf
ok 'at its line' grep -q '^bulkhead.conf:6: .*chmod 640' err
chmod 640 "$dir/s${year}a.pem"

# token show
hours=490896 # 2026-01-01T00:00:00Z
click=$($make token new/token.keys t.example.com c news.example.com newsletter spring '<l.example.com>' jane@example.net $hours 'https://example.com/ä?a="1"&b=\')
open=$($make token new/token.keys t.example.com o news.example.com newsletter '' '' '' $hours '')
leave=$($make token new/token.keys t.example.org u example.org former '' '' joe@example.net $hours '')
foreign=$($make token etc/token.keys t.example.com c news.example.com newsletter '' '' '' $hours 'https://example.com/')
run 0 'a click URL' token show -c bulkhead.conf --json "https://t.example.com/c/$click"
ok 'one line' test "$(wc -l <out)" -eq 1
ok 'in the order of the contract' json out "list(j) == ['kind', 'url', 'domain', 'stream', 'campaign', 'list', 'recipient', 'time']"
ok 'its values' json out "list(j.values()) == ['click', 'https://example.com/ä?a=\"1\"&b=\\\\', 'news.example.com', 'newsletter', 'spring', '<l.example.com>', 'jane@example.net', '2026-01-01T00:00:00Z']"
run 0 'an open URL' token show -c bulkhead.conf --json "https://t.example.com/o/$open.gif"
ok 'nulls' json out "j == {'kind': 'open', 'url': None, 'domain': 'news.example.com', 'stream': 'newsletter', 'campaign': None, 'list': None, 'recipient': None, 'time': '2026-01-01T00:00:00Z'}"
run 0 'an unsubscribe URL in brackets' token show -c bulkhead.conf --json "<https://T.example.org/u/$leave>"
ok 'a stream not configured is its id' json out "j['kind'] == 'unsubscribe' and j['stream'] == '$(printf former | sha256sum | head -c 8)' and j['recipient'] == 'joe@example.net'"
run 0 'with a query' token show -c bulkhead.conf "https://t.example.org/u/$leave?x=/c/y#z"
ok 'as text' grep -qx 'recipient  joe@example.net' out
for t in "$click" "$open" "$leave"; do
	run 0 'a bare token' token show -c bulkhead.conf --json "$t"
done
run 1 'another host' token show -c bulkhead.conf "https://t.example.org/c/$click"
ok 'is told' grep -q 'does not open it for this host' err
run 1 'another kind' token show -c bulkhead.conf "https://t.example.com/u/$click"
run 1 'another key' token show -c bulkhead.conf --json "https://t.example.com/c/$foreign"
ok 'json of a refusal' json out "j['kind'] is None and j['input'].endswith('$foreign') and 'made elsewhere' in j['error']"
run 1 'no token' token show -c bulkhead.conf hello
run 1 'another URL' token show -c bulkhead.conf https://t.example.com/x/y
ok 'is told' grep -q '/c/TOKEN' err

# addresses: day 20454 is 2026-01-01
local=$($make address new/return-path.keys b.example.com b news.example.com newsletter 20454 jane example.net)
gone=$($make address new/return-path.keys b.example.com u news.example.com newsletter 20454 jane example.net)
forged=$($make address etc/return-path.keys b.example.com b news.example.com newsletter 20454 jane example.net)
run 0 'a return path' token show -c bulkhead.conf --json "$local@b.example.com"
ok 'its values' json out "(j['kind'], j['domain'], j['stream'], j['day'], j['recipient']) == ('bounce', 'news.example.com', 'newsletter', '2026-01-01', 'jane@example.net')"
run 0 'in upper case' token show -c bulkhead.conf "<${local^^}@B.EXAMPLE.COM>"
run 0 'its local part' token show -c bulkhead.conf "$local"
run 0 'mailto' token show -c bulkhead.conf --json "mailto:unsubscribe@b.example.com?subject=$gone"
ok 'kind' json out "j['kind'] == 'unsubscribe-mail'"
run 1 'a forged one' token show -c bulkhead.conf "$forged@b.example.com"
run 1 'any address' token show -c bulkhead.conf jane@example.net

# lines on stdin
lines()
{
	"$bulkhead" token show -c bulkhead.conf "$@" - >out 2>err
}
printf '%s\n' "$click" '' "https://t.example.com/o/$open.gif" | lines --json
ok 'good lines: exit 0' test "${PIPESTATUS[1]}" -eq 0
ok 'two lines' json out "lines[0]['kind'] == 'click' and lines[1]['kind'] == 'open' and len(lines) == 2"
{ printf '%s\nbad \xff\xfe "x"\n' "$click"; head -c 100000 /dev/zero | tr '\0' A; printf '\n%s' "$open"; } | lines --json
ok 'a bad line: exit 65' test "${PIPESTATUS[1]}" -eq 65
ok 'the others are told' json out "lines[0]['kind'] == 'click' and lines[1]['kind'] is None and lines[2]['kind'] is None and lines[3]['kind'] == 'open' and len(lines) == 4"
printf '' | lines
ok 'nothing: exit 0' test "${PIPESTATUS[1]}" -eq 0
"$bulkhead" token list -c bulkhead.conf >/dev/full 2>err
ok 'a full disk: exit 74' test $? -eq 74
echo "1..$count"
