/*
 * test_robot.c - who is taken for whom: browsers and mail programs as they
 * are, robots as they say or show; every rule of conf/robots is needed by one
 * of these.
 */
#include "tests/unit/robot_visit.h"

#include "base/clock.h"
#include "base/file.h"

#include <stdio.h>

#define COUNT(v) (sizeof(v) / sizeof((v)[0]))
#define LANGUAGE  "Accept-Language: en-US,en;q=0.9\n"
#define PAGE	                                                               \
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;"   \
	"q=0.8\nAccept-Encoding: gzip, deflate, br\n" LANGUAGE
#define CHROME_NAVIGATES                                                       \
	PAGE "Upgrade-Insecure-Requests: 1\nSec-Fetch-Site: none\n"            \
	"Sec-Fetch-Mode: navigate\nSec-Fetch-User: ?1\n"                       \
	"Sec-Fetch-Dest: document\n"                                           \
	"Sec-CH-UA: \"Chromium\";v=\"130\", \"Google Chrome\";v=\"130\"\n"     \
	"Sec-CH-UA-Mobile: ?0\nSec-CH-UA-Platform: \"Windows\"\n"
#define IMAGE                                                                  \
	"Accept: image/avif,image/webp,image/png,*/*;q=0.8\n"                  \
	"Accept-Encoding: gzip, deflate, br\n" LANGUAGE                        \
	"Sec-Fetch-Dest: image\nSec-Fetch-Mode: no-cors\n"                     \
	"Sec-Fetch-Site: cross-site\n"
#define ANY "Accept: */*\n"
#define WIN "Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
#define KIT "AppleWebKit/537.36 (KHTML, like Gecko) "
#define CHROME WIN KIT "Chrome/130.0.0.0 Safari/537.36"
#define ALSO "Mozilla/5.0 (compatible; "

/* What every case has. */
#define AS(a, f, r, v) .agent = a, .fields = f, .rule = r, .verdict = v

/* People: their browsers, and mail programs that load images. */
static const struct case_ people[] = {
	{ AS(CHROME, CHROME_NAVIGATES, "browser", EVENT_HUMAN) },
	{ AS(CHROME " Edg/130.0.0.0", CHROME_NAVIGATES, "browser", EVENT_HUMAN)
	  },
	{ AS(CHROME " OPR/115.0.0.0", CHROME_NAVIGATES, "browser", EVENT_HUMAN)
	  },
	{ AS("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 "
	  "Firefox/132.0", PAGE "Sec-Fetch-Dest: document\n"
	  "Sec-Fetch-Mode: navigate\nPriority: u=0, i\n", "browser",
	  EVENT_HUMAN) },
	{ AS("Mozilla/5.0 (X11; Linux x86_64) " KIT "Chrome/130.0.0.0 "
	  "Safari/537.36", PAGE "Sec-CH-UA-Platform: \"Linux\"\n"
	  "Sec-CH-UA-Mobile: ?0\n", "browser", EVENT_HUMAN) },
	{ AS("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
	  "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 "
	  "Safari/605.1.15", PAGE, "browser", EVENT_HUMAN) },
	{ AS("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) " KIT
	  "Chrome/130.0.0.0 Safari/537.36", PAGE
	  "Sec-CH-UA-Platform: \"macOS\"\n", "browser", EVENT_HUMAN) },
	{ AS("Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) "
	  "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 "
	  "Mobile/15E148 Safari/604.1", PAGE, "browser", EVENT_HUMAN) },
	{ AS("Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) "
	  "AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
	  "[FBAN/FBIOS;FBAV/486.0.0]", PAGE, "browser", EVENT_HUMAN) },
	{ AS("Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) "
	  "AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/130.0.6723.37 "
	  "Mobile/15E148 Safari/604.1", PAGE, "browser", EVENT_HUMAN) },
	{ AS("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) "
	  "AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 "
	  "Snapchat/12.90", PAGE, "browser", EVENT_HUMAN) },
	{ AS("Mozilla/5.0 (Linux; Android 14; SM-S918B) " KIT
	  "SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36", PAGE,
	  "browser", EVENT_HUMAN) },
	{ AS("Mozilla/5.0 (Linux; Android 10; K) " KIT
	  "Chrome/130.0.0.0 Mobile Safari/537.36", CHROME_NAVIGATES,
	  "browser", EVENT_HUMAN) },
	{ AS("Mozilla/5.0 (Linux; Android 13; Pixel 7; wv) " KIT "Version/4.0 "
	  "Chrome/129.0.6668.100 Mobile Safari/537.36", PAGE
	  "X-Requested-With: com.fsck.k9\n", "browser", EVENT_HUMAN) },
	{ AS("Mozilla/5.0 (Linux; Android 9; CUBOT_X19 Build/PPR1.180610.011) "
	  KIT "Chrome/74.0.3729.136 Mobile Safari/537.36", PAGE, "browser",
	  EVENT_HUMAN) },
	{ AS("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like "
	  "Gecko", "Accept: text/html, application/xhtml+xml, */*\n" LANGUAGE,
	  "browser", EVENT_HUMAN) },
	{ AS("Mozilla/5.0 (Windows NT 6.1; Win64; x64) " KIT
	  "Chrome/109.0.0.0 Safari/537.36", PAGE, "browser", EVENT_HUMAN) },
	{ AS("Mozilla/5.0 (Linux; Android 5.0; SM-G900P) " KIT
	  "Chrome/95.0.4638.74 Mobile Safari/537.36", PAGE, "browser",
	  EVENT_HUMAN) },
	{ AS("Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18", PAGE,
	  "browser", EVENT_HUMAN) },
	{ AS("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 "
	  "Thunderbird/128.4.0", IMAGE, "browser", EVENT_HUMAN), .kind =
	  EVENT_OPENED },
	{ AS("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) "
	  "AppleWebKit/605.1.15 (KHTML, like Gecko)", IMAGE, "browser",
	  EVENT_HUMAN), .kind = EVENT_OPENED },
	{ AS("Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) "
	  "AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148", IMAGE,
	  "browser", EVENT_HUMAN), .kind = EVENT_OPENED },
	{ AS(CHROME, IMAGE, "browser", EVENT_HUMAN), .kind = EVENT_OPENED },
	{ AS(CHROME, IMAGE, "browser", EVENT_HUMAN), .kind = EVENT_OPENED,
	  .visitor = "40.107.12.1" },
	{ AS("Mozilla/4.0 (compatible; ms-office; MSOffice 16)", ANY, "outlook",
	  EVENT_HUMAN), .kind = EVENT_OPENED },
	{ AS("Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; "
	  "Trident/7.0; .NET4.0C; .NET4.0E; Microsoft Outlook 16.0.9126; "
	  "ms-office; MSOffice 16)", ANY, "outlook", EVENT_HUMAN), .kind =
	  EVENT_OPENED },
	{ AS("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook "
	  "16.0.16327; Pro)", "", "outlook", EVENT_HUMAN), .kind = EVENT_OPENED
	  },
	{ AS("Outlook-iOS/709.2226530.prod.iphone (3.24.0)", "",
	  "outlook-mobile", EVENT_HUMAN), .kind = EVENT_OPENED },
	{ AS("Outlook-Android/2.0", "", "outlook-mobile", EVENT_HUMAN), .kind =
	  EVENT_OPENED },
	{ AS("Mail/3774.600.62 CFNetwork/1568.100.1 Darwin/24.0.0", "",
	  "apple-mail", EVENT_HUMAN), .kind = EVENT_OPENED },
	{ AS("Mozilla/4.0 (compatible; Lotus-Notes/6.0; Windows-NT)", ANY,
	  "notes", EVENT_HUMAN), .kind = EVENT_OPENED },
	{ AS("Evolution/3.46.4", "", "evolution", EVENT_HUMAN), .kind =
	  EVENT_OPENED },
	{ AS(CHROME, PAGE, "one-click", EVENT_HUMAN), .kind =
	  EVENT_UNSUBSCRIBED, .method = "POST" },
	{ AS("Mozilla/5.0 (compatible; Google-One-Click-Bot; "
	  "http://www.google.com)", "", "one-click", EVENT_HUMAN), .kind =
	  EVENT_UNSUBSCRIBED, .method = "POST" },
	/* no rule, but nothing speaks against it */
	{ AS("NetSurf/3.10 (Linux)", PAGE, "", EVENT_HUMAN) },
};

/* Robots by what they show, whatever they say. */
static const struct case_ shown[] = {
	{ AS(CHROME, CHROME_NAVIGATES "Sec-Purpose: prefetch\n", "purpose",
	  EVENT_PREFETCH) },
	{ AS(CHROME, CHROME_NAVIGATES "Sec-Purpose: prefetch;prerender\n",
	  "purpose", EVENT_PREFETCH) },
	{ AS(CHROME, CHROME_NAVIGATES
	  "Sec-Purpose: prefetch;anonymous-client-ip\n", "purpose",
	  EVENT_PREFETCH) },
	{ AS(CHROME, PAGE "purpose: prefetch\n", "purpose", EVENT_PREFETCH) },
	{ AS(CHROME, PAGE "Purpose: preview\n", "purpose", EVENT_PREFETCH) },
	{ AS(CHROME, PAGE "X-Purpose: preview\n", "purpose", EVENT_PREFETCH) },
	{ AS(CHROME, PAGE "X-Purpose: : preview\nX-Purpose: instant\n",
	  "purpose", EVENT_PREFETCH) },
	{ AS(CHROME, PAGE "X-Purpose: prefetch\n", "purpose", EVENT_PREFETCH) },
	{ AS(CHROME, PAGE "X-moz: prefetch\n", "purpose", EVENT_PREFETCH) },
	{ AS("Mozilla/5.0", IMAGE, "apple-mpp", EVENT_PREFETCH), .kind =
	  EVENT_OPENED },
	{ AS("Mozilla/5.0", PAGE, "bare-mozilla", EVENT_SCANNER) },
	{ AS(CHROME, PAGE, "head", EVENT_SCANNER), .method = "HEAD" },
	{ AS(NULL, ANY, "head", EVENT_SCANNER), .method = "HEAD" },
	{ AS(NULL, PAGE, "no-agent", EVENT_UNKNOWN) },
	{ AS("", PAGE, "no-agent", EVENT_UNKNOWN) },
	{ AS(CHROME, LANGUAGE, "no-accept", EVENT_UNKNOWN) },
	{ AS(CHROME, "Accept:  \n" LANGUAGE, "no-accept", EVENT_UNKNOWN) },
	{ AS(CHROME, ANY, "no-language", EVENT_UNKNOWN) },
	{ AS(CHROME, PAGE "Sec-CH-UA-Platform: \"Linux\"\n", "contradiction",
	  EVENT_UNKNOWN) },
	{ AS(CHROME, PAGE "Sec-CH-UA-Mobile: ?1\n", "contradiction",
	  EVENT_UNKNOWN) },
	{ AS("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) " KIT
	  "Chrome/130.0.0.0 Safari/537.36", PAGE
	  "Sec-CH-UA-Platform: \"Linux\"\n", "contradiction", EVENT_UNKNOWN) },
	{ AS(CHROME, PAGE "Sec-Fetch-Mode: cors\n", "not-navigated",
	  EVENT_UNKNOWN) },
	{ AS(CHROME, PAGE "Sec-Fetch-Mode: no-cors\n", "not-navigated",
	  EVENT_UNKNOWN) },
	{ AS(WIN KIT "Chrome/79.0.3945.136 Safari/537.36", PAGE,
	  "old-chrome-later", EVENT_UNKNOWN) },
	{ AS(WIN KIT "Chrome/96.0.4664.110 Safari/537.36", PAGE, "old-chrome",
	  EVENT_SCANNER), .hours_ago = 1 },
	{ AS(CHROME, PAGE "Sec-CH-UA: \"HeadlessChrome\";v=\"130\"\n",
	  "headless", EVENT_SCANNER) },
	{ AS(CHROME, PAGE, "microsoft-365", EVENT_SCANNER), .visitor =
	  "40.94.16.7" },
	{ AS(CHROME, PAGE, "microsoft-365", EVENT_SCANNER), .visitor =
	  "104.47.11.62" },
	{ AS(CHROME, PAGE, "microsoft-365", EVENT_SCANNER), .visitor =
	  "2a01:111:f403::1" },
	{ AS(CHROME, PAGE, "barracuda", EVENT_SCANNER), .visitor =
	  "209.222.82.5" },
	{ AS(CHROME, PAGE, "proofpoint", EVENT_SCANNER), .visitor =
	  "148.163.150.3" },
	{ AS("Mozilla/4.0 (compatible; ms-office; MSOffice 16)", ANY,
	  "office-link", EVENT_PREFETCH) },
	{ AS("Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook "
	  "16.0.16327; Pro)", "", "office-link", EVENT_PREFETCH) },
	{ AS("Something/1.0", LANGUAGE, "no-accept", EVENT_UNKNOWN) },
};

/* Robots by their agent, with a browser's header around it. */
static const struct {
	const char *agent, *rule;
	enum event_verdict verdict;
} named[] = {
	{ "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via "
	  "ggpht.com GoogleImageProxy)", "gmail-proxy", EVENT_PREFETCH },
	{ "Mozilla/5.0 (via ggpht.com)", "gmail-proxy", EVENT_PREFETCH },
	{ "GoogleImageProxy", "gmail-proxy", EVENT_PREFETCH },
	{ "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-"
	  "SLN28749.html", "yahoo-proxy", EVENT_PREFETCH },
	{ "OutlookImageProxy/1.0", "outlook-proxy", EVENT_PREFETCH },
	{ ALSO "Linux x86_64; Mail.RU_Bot/Img/2.0; "
	  "+https://help.mail.ru/webmaster/indexing/robots)", "mailru-proxy",
	  EVENT_PREFETCH },
	{ ALSO "YandexImageResizer/2.0; +http://yandex.com/bots)",
	  "yandex-proxy", EVENT_PREFETCH },
	{ ALSO "SeznamEmailProxy/2.0.179; +https://o-seznam.cz/napoveda/)",
	  "seznam-proxy", EVENT_PREFETCH },
	{ WIN KIT "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 "
	  "Gmail-content-sampling", "gmail-sampling", EVENT_SCANNER },
	{ WIN KIT "Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 "
	  "Mozilla/5.0", "edge-12", EVENT_SCANNER },
	{ "Microsoft Office SafeLinks Protection", "safe-links",
	  EVENT_SCANNER },
	{ "Mozilla/5.0 Safe Links", "safe-links", EVENT_SCANNER },
	{ "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like "
	  "Gecko) BingPreview/1.0b", "bing-preview", EVENT_SCANNER },
	{ ALSO "MicrosoftPreview/2.0; +https://aka.ms/MicrosoftPreview)",
	  "microsoft-preview", EVENT_PREFETCH },
	{ "Microsoft Office Existence Discovery", "office-discovery",
	  EVENT_PREFETCH },
	{ "Microsoft Office Protocol Discovery", "office-discovery",
	  EVENT_PREFETCH },
	{ "Office 365 Connectors", "office-connector", EVENT_PREFETCH },
	{ "Microsoft Exchange/15.20 (Windows NT 10.0; Win64; x64)",
	  "exchange", EVENT_SCANNER },
	{ "iOS/16.5.1 (20F75) dataaccessd/1.0", "dataaccessd",
	  EVENT_PREFETCH },
	{ "Barracuda Sentinel (EE)", "barracuda", EVENT_SCANNER },
	{ "Mozilla/5.0 (Mimecast URL Protect)", "mimecast", EVENT_SCANNER },
	{ "Mozilla/5.0 Proofpoint URL Defense", "proofpoint", EVENT_SCANNER },
	{ "Cisco-IronPort/1.0", "cisco", EVENT_SCANNER },
	{ "CiscoSecureEmail", "cisco", EVENT_SCANNER },
	{ "TrendMicro-URLScan", "trend-micro", EVENT_SCANNER },
	{ "Trend Micro WTP", "trend-micro", EVENT_SCANNER },
	{ "Symantec Email Security", "symantec", EVENT_SCANNER },
	{ "MessageLabs-LinkFollow/1.0", "symantec", EVENT_SCANNER },
	{ "BlueCoat DRTR", "bluecoat", EVENT_SCANNER },
	{ "Sophos Email", "sophos", EVENT_SCANNER },
	{ "FireEye ETP", "trellix", EVENT_SCANNER },
	{ "Trellix ETP", "trellix", EVENT_SCANNER },
	{ "BitDefender/7.0", "bitdefender", EVENT_SCANNER },
	{ "FortiGuard WebFilter", "fortinet", EVENT_SCANNER },
	{ "Fortinet/1.0", "fortinet", EVENT_SCANNER },
	{ "Forcepoint Email", "forcepoint", EVENT_SCANNER },
	{ "Kaspersky/21", "kaspersky", EVENT_SCANNER },
	{ "Avanan Scan", "avanan", EVENT_SCANNER },
	{ "VadeSecure/1.0", "vade", EVENT_SCANNER },
	{ "Hornetsecurity ATP", "hornetsecurity", EVENT_SCANNER },
	{ "Cloudmark/1", "cloudmark", EVENT_SCANNER },
	{ "SpamExperts", "spamexperts", EVENT_SCANNER },
	{ "rspamd-3.9", "rspamd", EVENT_SCANNER },
	{ "Expanse, a Palo Alto Networks company, searches", "paloalto",
	  EVENT_SCANNER },
	{ "Hello from paloaltonetworks.com", "paloalto", EVENT_SCANNER },
	{ "virustotalcloud", "virustotal", EVENT_SCANNER },
	{ "urlscan.io", "urlscan", EVENT_SCANNER },
	{ ALSO "NetcraftSurveyAgent/1.0)", "netcraft", EVENT_SCANNER },
	{ "Google-Safety; +http://www.google.com/bot.html", "google-safety",
	  EVENT_SCANNER },
	{ "SCMGUARD", "scmguard", EVENT_SCANNER },
	{ "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
	  "slack", EVENT_PREFETCH },
	{ "Slack-ImgProxy (+https://api.slack.com/robots)", "slack",
	  EVENT_PREFETCH },
	{ "facebookexternalhit/1.1 (+http://www.facebook.com/"
	  "externalhit_uatext.php)", "facebook", EVENT_PREFETCH },
	{ "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4"
	  " (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 "
	  "facebookexternalhit/1.1 Facebot Twitterbot/1.0", "facebook",
	  EVENT_PREFETCH },
	{ "meta-externalfetcher/1.1", "facebook", EVENT_PREFETCH },
	{ "Twitterbot/1.0", "twitter", EVENT_PREFETCH },
	{ "WhatsApp/2.23.20.0", "whatsapp", EVENT_PREFETCH },
	{ "TelegramBot (like TwitterBot)", "twitter", EVENT_PREFETCH },
	{ "TelegramBot", "telegram", EVENT_PREFETCH },
	{ ALSO "Discordbot/2.0; +https://discordapp.com)", "discord",
	  EVENT_PREFETCH },
	{ "LinkedInBot/1.0 (compatible; Mozilla/5.0)", "linkedin",
	  EVENT_PREFETCH },
	{ "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 "
	  "skype-url-preview@microsoft.com", "teams", EVENT_PREFETCH },
	{ "Snap URL Preview Service; bot; snapchat; "
	  "https://developers.snap.com/robots", "snapchat", EVENT_PREFETCH },
	{ "Viber/20.0", "viber", EVENT_PREFETCH },
	{ ALSO "Pinterestbot/1.0; +http://www.pinterest.com/bot.html)",
	  "pinterest", EVENT_PREFETCH },
	{ ALSO "redditbot/1.0)", "reddit", EVENT_PREFETCH },
	{ "facebook-like; kakaotalk-scrap/1.0", "kakao", EVENT_PREFETCH },
	{ "GoogleMessages/20", "google-messages", EVENT_PREFETCH },
	{ "http.rb/5.1 (Mastodon/4.2.0; +https://m.example/)", "mastodon",
	  EVENT_PREFETCH },
	{ ALSO "Embedly/0.2; +http://support.embed.ly/)", "embedly",
	  EVENT_PREFETCH },
	{ "Iframely/1.3.1 (+https://iframely.com/docs/about)", "iframely",
	  EVENT_PREFETCH },
	{ ALSO "Googlebot/2.1; +http://www.google.com/bot.html)", "google",
	  EVENT_SCANNER },
	{ "GoogleOther", "google", EVENT_SCANNER },
	{ CHROME " (compatible; Google-Read-Aloud)", "google-read-aloud",
	  EVENT_PREFETCH },
	{ "FeedFetcher-Google", "google", EVENT_SCANNER },
	{ "AppEngine-Google; (+http://code.google.com/appengine)", "google",
	  EVENT_SCANNER },
	{ ALSO "bingbot/2.0; +http://www.bing.com/bingbot.htm)", "bing",
	  EVENT_SCANNER },
	{ ALSO "Yahoo! Slurp)", "yahoo", EVENT_SCANNER },
	{ "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	  "(Applebot/0.1)", "apple", EVENT_SCANNER },
	{ ALSO "YandexBot/3.0)", "yandex", EVENT_SCANNER },
	{ ALSO "AhrefsBot/7.0; +http://ahrefs.com/robot/)", "crawler",
	  EVENT_SCANNER },
	{ "SomeBot; a test", "crawler", EVENT_SCANNER },
	{ "DomainCrawler", "crawler", EVENT_SCANNER },
	{ ALSO "Baiduspider; +http://www.baidu.com/)", "crawler",
	  EVENT_SCANNER },
	{ "W3C-checklink/4.5", "crawler", EVENT_SCANNER },
	{ "Mozilla/5.0 (X11; Linux x86_64) " KIT "HeadlessChrome/130.0.0.0 "
	  "Safari/537.36", "headless", EVENT_SCANNER },
	{ "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like"
	  " Gecko) PhantomJS/2.1.1 Safari/538.1", "headless", EVENT_SCANNER },
	{ CHROME " Puppeteer", "headless", EVENT_SCANNER },
	{ "Playwright/1.48", "headless", EVENT_SCANNER },
	{ "selenium/4.25", "headless", EVENT_SCANNER },
	{ CHROME " Chrome-Lighthouse", "headless", EVENT_SCANNER },
	{ "curl/8.5.0", "library", EVENT_SCANNER },
	{ "Wget/1.21.3", "library", EVENT_SCANNER },
	{ "python-requests/2.32.3", "library", EVENT_SCANNER },
	{ "Python-urllib/3.11", "library", EVENT_SCANNER },
	{ "python-httpx/0.27", "library", EVENT_SCANNER },
	{ "Python/3.9 aiohttp/3.8.1", "library", EVENT_SCANNER },
	{ "Scrapy/2.11 (+https://scrapy.org)", "library", EVENT_SCANNER },
	{ "Go-http-client/2.0", "library", EVENT_SCANNER },
	{ "Java/17.0.2", "library", EVENT_SCANNER },
	{ "Java-http-client/21", "library", EVENT_SCANNER },
	{ "Apache-HttpClient/4.5.1 (Java/1.8.0_172)", "library",
	  EVENT_SCANNER },
	{ "okhttp/4.10.0", "library", EVENT_SCANNER },
	{ "libwww-perl/6.67", "library", EVENT_SCANNER },
	{ "GuzzleHttp/7", "library", EVENT_SCANNER },
	{ "PHP/8.2", "library", EVENT_SCANNER },
	{ "Ruby", "library", EVENT_SCANNER },
	{ "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
	  "library", EVENT_SCANNER },
	{ "axios/1.7.7", "library", EVENT_SCANNER },
	{ "node", "library", EVENT_SCANNER },
	{ "undici", "library", EVENT_SCANNER },
	{ "AHC/2.1", "library", EVENT_SCANNER },
	{ "Jetty/9.4.42.v20210604", "library", EVENT_SCANNER },
	{ "lua-resty-http/0.10 (Lua) ngx_lua/10012", "library",
	  EVENT_SCANNER },
	{ ALSO "Win32; WinHttp.WinHttpRequest.5)", "library",
	  EVENT_SCANNER },
	{ "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) "
	  "WindowsPowerShell/5.1.19041.1", "library", EVENT_SCANNER },
	{ "reqwest/0.12", "library", EVENT_SCANNER },
	{ "PostmanRuntime/7.42", "library", EVENT_SCANNER },
	{ "Mozilla/4.5 (compatible; HTTrack 3.0x; Windows 98)", "library",
	  EVENT_SCANNER },
	{ "HubSpot Connect 2.0", "library", EVENT_SCANNER },
	{ "Amazon CloudFront", "library", EVENT_SCANNER },
};

#define NCASES (COUNT(people) + COUNT(shown) + COUNT(named))

static struct case_
case_at(size_t i)
{
	if (i < COUNT(people))
		return people[i];
	i -= COUNT(people);
	if (i < COUNT(shown))
		return shown[i];
	i -= COUNT(shown);
	return (struct case_){ .agent = named[i].agent, .fields = PAGE,
		.rule = named[i].rule, .verdict = named[i].verdict };
}

static void
test_clients(void **state)
{
	struct robots *r = robots_default();

	(void)state;
	for (size_t i = 0; i < NCASES; i++) {
		struct case_ c = case_at(i);

		expect_case(r, &c);
	}
	robots_free(&r);
	assert_null(r);
	robots_free(&r);
}

/* Opens by robots that name themselves: as their clicks. */
static void
test_opens(void **state)
{
	struct robots *r = robots_default();

	(void)state;
	for (size_t i = 0; i < COUNT(named); i++) {
		struct case_ c = { .agent = named[i].agent, .fields = IMAGE,
			.rule = named[i].rule, .verdict = named[i].verdict,
			.kind = EVENT_OPENED };

		expect_case(r, &c);
	}
	robots_free(&r);
}

/* Does any case turn out differently under these rules? */
static bool
differs(const struct robots *r)
{
	struct arena *a = arena_new();
	bool found = false;

	for (size_t i = 0; i < NCASES && !found; i++) {
		struct case_ c = case_at(i);
		struct made m;
		struct str rule;

		make(&m, a, &c);
		found = robots_judge(r, &m.visit, &rule) != c.verdict ||
		    !str_eq(rule, str_from(c.rule));
		arena_reset(a);
	}
	arena_free(&a);
	return found;
}

static struct str
conf_robots(struct arena *a)
{
	const char *dir = getenv("BULKHEAD_SRCDIR");
	struct str path = arena_printf(a, "%s/conf/robots",
	    dir != NULL ? dir : ".");
	struct str text;

	assert_int_equal(file_read(a, arena_cstr(a, path), 1 << 20, &text),
	    0);
	return text;
}

/* Blanks the lines of the rule that begins at that offset. */
static void
blank_rule(struct str text, size_t at)
{
	char *p = (char *)(uintptr_t)text.p;

	do {
		for (; at < text.n && p[at] != '\n'; at++)
			p[at] = ' ';
		at++;
	} while (at < text.n && (p[at] == '\t' || p[at] == ' '));
}

static void
test_every_rule_is_needed(void **state)
{
	struct arena *a = arena_new();
	struct str text = conf_robots(a);
	size_t n = 0;

	(void)state;
	for (size_t at = 0; at < text.n;
	    at = str_chr(text, '\n', at) + 1) {
		struct str less;
		struct buf errors;
		struct robots *r;

		if (!str_is_alpha(text.p[at]))
			continue;
		less = exact(a, text);
		blank_rule(less, at);
		buf_init(&errors, ERRORS_MAX);
		r = robots_parse(less, "less", &errors);
		if (r == NULL)
			fail_msg("%s", errors.p);
		if (!differs(r))
			fail_msg("nothing needs \"%.*s\"", (int)(str_chr(text,
			    '\n', at) - at), text.p + at);
		robots_free(&r);
		buf_free(&errors);
		n++;
	}
	assert_true(n > 140);
	arena_free(&a);
}

/* What is built in is conf/robots. */
static void
test_built_in(void **state)
{
	struct arena *a = arena_new();
	struct buf errors;
	struct robots *r;

	(void)state;
	buf_init(&errors, ERRORS_MAX);
	r = robots_parse(exact(a, conf_robots(a)), "conf/robots", &errors);
	assert_non_null(r);
	assert_int_equal(errors.n, 0);
	assert_false(differs(r));
	robots_free(&r);
	buf_free(&errors);
	arena_free(&a);
}

/* Nanoseconds of CPU for a judgement: told, not tested. */
static void
test_cost(void **state)
{
	struct robots *r = robots_default();
	struct arena *a = arena_new();
	struct made m;
	struct str rule;
	int64_t least = INT64_MAX;
	const int n = 1000;

	(void)state;
	make(&m, a, &people[0]);
	for (int round = 0; round < 20; round++) {
		int64_t from = clock_thread_cpu(), took;

		for (int i = 0; i < n; i++)
			assert_int_equal(robots_judge(r, &m.visit, &rule),
			    EVENT_HUMAN);
		took = clock_thread_cpu() - from;
		least = took < least ? took : least;
	}
	fprintf(stderr, "# %d ns a browser's request\n", (int)least);
	robots_free(&r);
	arena_free(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_opens),
		cmocka_unit_test(test_every_rule_is_needed),
		cmocka_unit_test(test_built_in),
		cmocka_unit_test(test_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
