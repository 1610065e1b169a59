# What decides, for the daemon and its unit tests.
POLICYD_PARTS = \
	policyd/batch.c policyd/batch.h \
	policyd/check.h policyd/checks.c \
	policyd/check_domain.c \
	policyd/check_pause.c \
	policyd/check_rate.c \
	policyd/check_suppress.c \
	policyd/control.c policyd/control.h \
	policyd/facts.c policyd/facts.h \
	policyd/instances.c policyd/instances.h \
	policyd/outage.c policyd/outage.h \
	policyd/pauses.c policyd/pauses.h \
	policyd/reply.c policyd/reply.h \
	policyd/reply_events.c

sbin_PROGRAMS += bulkhead-policyd
bulkhead_policyd_SOURCES = $(POLICYD_PARTS) \
	policyd/main.c \
	policyd/client.c policyd/client.h \
	policyd/loop.c policyd/loop.h \
	policyd/upkeep.c policyd/upkeep.h
bulkhead_policyd_LDADD = $(DAEMON_LIBS) $(EVENT_LIBS)
