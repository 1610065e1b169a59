libbulkhead_a_SOURCES += \
	lib/engine/ask.c lib/engine/ask.h \
	lib/engine/emit.c lib/engine/emit.h \
	lib/engine/encode.h lib/engine/encode_parts.c \
	lib/engine/encode_hazards.c \
	lib/engine/link.c lib/engine/link.h \
	lib/engine/message.c lib/engine/message.h \
	lib/engine/mta.h \
	lib/engine/mta_memory.c lib/engine/mta_memory.h \
	lib/engine/ours.c lib/engine/ours.h \
	lib/engine/parts.c lib/engine/parts.h \
	lib/engine/placeholder.c lib/engine/placeholder.h \
	lib/engine/reentry.c lib/engine/reentry.h \
	lib/engine/report.c lib/engine/report.h \
	lib/engine/report_events.c \
	lib/engine/session.c lib/engine/session.h \
	lib/engine/stage.h lib/engine/stages.c \
	lib/engine/stage_admit.c \
	lib/engine/stage_charge.c \
	lib/engine/stage_complete.c \
	lib/engine/stage_encode.c \
	lib/engine/stage_returnpath.c \
	lib/engine/stage_select.c \
	lib/engine/stage_sign.c \
	lib/engine/stage_track.c \
	lib/engine/stage_unsubscribe.c
libbulkhead_a_SOURCES += lib/engine/control.c lib/engine/control.h \
	lib/engine/control_json.c lib/engine/control_json.h \
	lib/engine/control_rule.h lib/engine/control_rules.c \
	lib/engine/control_shape.c
