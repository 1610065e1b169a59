EXTRA_DIST += tests/unit/unit.h
UNIT_TESTS = tests/unit/test_base
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

tests_unit_test_base_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_json
tests_unit_test_json_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_header
tests_unit_test_header_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_dkim
tests_unit_test_dkim_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_mime tests/unit/test_mime_param
tests_unit_test_mime_LDADD = $(UNIT_LIBS)
tests_unit_test_mime_param_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_control
tests_unit_test_control_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_control_json
tests_unit_test_control_json_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_splice tests/unit/test_coding
tests_unit_test_splice_LDADD = $(UNIT_LIBS)
tests_unit_test_coding_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_token
tests_unit_test_token_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_keyring
tests_unit_test_keyring_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_addr
tests_unit_test_addr_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_engine
tests_unit_test_engine_SOURCES = tests/unit/test_engine.c \
	tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_engine_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_charset tests/unit/test_mta_memory
tests_unit_test_charset_LDADD = $(UNIT_LIBS)
tests_unit_test_mta_memory_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_settings tests/unit/test_settings_scan \
	tests/unit/test_settings_damage tests/unit/test_settings_errors \
	tests/unit/test_stream tests/unit/test_cmd_config
tests_unit_test_settings_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_settings_table
tests_unit_test_settings_table_LDADD = $(UNIT_LIBS)
tests_unit_test_settings_damage_LDADD = $(UNIT_LIBS)
tests_unit_test_settings_errors_LDADD = $(UNIT_LIBS)
tests_unit_test_settings_scan_LDADD = $(UNIT_LIBS)
tests_unit_test_stream_LDADD = $(UNIT_LIBS)
tests_unit_test_cmd_config_SOURCES = tests/unit/test_cmd_config.c \
	cli/cmd_config.c cli/load.c
tests_unit_test_cmd_config_LDADD = $(UNIT_LIBS)
EXTRA_DIST += tests/unit/conf_contract.h tests/unit/conf_file.h \
	tests/unit/conf_load.h
UNIT_TESTS += tests/unit/test_listhdr tests/unit/test_returnpath
tests_unit_test_listhdr_LDADD = $(UNIT_LIBS)
tests_unit_test_returnpath_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_html
tests_unit_test_html_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_coding_random
tests_unit_test_coding_random_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_dkim_canon
tests_unit_test_dkim_canon_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_engine_hard
tests_unit_test_engine_hard_SOURCES = tests/unit/test_engine_hard.c \
	tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_engine_hard_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_placeholder
tests_unit_test_placeholder_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_report tests/unit/test_metrics
tests_unit_test_report_SOURCES = tests/unit/test_report.c \
	tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_report_LDADD = $(UNIT_LIBS)
tests_unit_test_metrics_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_dkim_verify
tests_unit_test_dkim_verify_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_reentry
tests_unit_test_reentry_SOURCES = tests/unit/test_reentry.c \
	tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_reentry_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_dkim_opendkim
tests_unit_test_dkim_opendkim_LDADD = $(UNIT_LIBS) $(OPENDKIM_LIBS)
EXTRA_DIST += tests/unit/dkim_keys.h
UNIT_TESTS += tests/unit/test_spool tests/unit/test_session
tests_unit_test_spool_LDADD = $(UNIT_LIBS)
tests_unit_test_session_SOURCES = tests/unit/test_session.c \
	tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_session_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_wire tests/unit/test_coding_anew
tests_unit_test_wire_LDADD = $(UNIT_LIBS)
tests_unit_test_coding_anew_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_admit
tests_unit_test_admit_SOURCES = tests/unit/test_admit.c \
	tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_admit_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_engine_events
tests_unit_test_engine_events_SOURCES = tests/unit/test_engine_events.c \
	tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_engine_events_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_encode
tests_unit_test_encode_SOURCES = tests/unit/test_encode.c \
	tests/unit/fixture.c tests/unit/fixture.h
tests_unit_test_encode_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_buffered
tests_unit_test_buffered_SOURCES = tests/unit/test_buffered.c milter/buffered.c
tests_unit_test_buffered_LDADD = $(UNIT_LIBS)
tests_unit_test_buffered_LDFLAGS = $(AM_LDFLAGS) $(MILTER_WRAP)
UNIT_TESTS += tests/unit/test_siv
tests_unit_test_siv_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_siphash
tests_unit_test_siphash_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_scans tests/unit/test_link
tests_unit_test_scans_LDADD = $(UNIT_LIBS)
tests_unit_test_link_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_policy_proto
tests_unit_test_policy_proto_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_gcra tests/unit/test_rate_table
tests_unit_test_gcra_LDADD = $(UNIT_LIBS)
tests_unit_test_rate_table_LDADD = $(UNIT_LIBS)
EXTRA_DIST += tests/unit/rate_random.h
UNIT_TESTS += tests/unit/test_policy_client
tests_unit_test_policy_client_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_limit
tests_unit_test_limit_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_store_contract
tests_unit_test_store_contract_SOURCES = tests/unit/test_store_contract.c \
	tests/unit/store_fixture.c tests/unit/store_fixture.h
tests_unit_test_store_contract_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_store_rate
tests_unit_test_store_rate_SOURCES = tests/unit/test_store_rate.c \
	tests/unit/store_fixture.c tests/unit/store_fixture.h
tests_unit_test_store_rate_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_sort_external
tests_unit_test_sort_external_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_policyd
POLICYD_FIXTURE = tests/unit/policyd_fixture.c tests/unit/policyd_fixture.h \
	tests/unit/store_fixture.c tests/unit/store_fixture.h $(POLICYD_PARTS)
tests_unit_test_policyd_SOURCES = tests/unit/test_policyd.c $(POLICYD_FIXTURE)
tests_unit_test_policyd_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_policyd_rate
tests_unit_test_policyd_rate_SOURCES = tests/unit/test_policyd_rate.c \
	$(POLICYD_FIXTURE)
tests_unit_test_policyd_rate_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_store_writer
tests_unit_test_store_writer_SOURCES = tests/unit/test_store_writer.c \
	tests/unit/store_fixture.c tests/unit/store_fixture.h
tests_unit_test_store_writer_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_import
tests_unit_test_import_SOURCES = tests/unit/test_import.c $(IMPORT_SOURCES)
tests_unit_test_import_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_store_sqlite
PLACE_SOURCES = tests/unit/store_place.c tests/unit/store_place.h \
	tests/unit/store_fixture.c tests/unit/store_fixture.h
tests_unit_test_store_sqlite_SOURCES = tests/unit/test_store_sqlite.c \
	$(PLACE_SOURCES)
tests_unit_test_store_sqlite_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_store_damage
tests_unit_test_store_damage_SOURCES = tests/unit/test_store_damage.c \
	$(PLACE_SOURCES)
tests_unit_test_store_damage_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_store_property
tests_unit_test_store_property_SOURCES = tests/unit/test_store_property.c \
	tests/unit/store_fixture.c tests/unit/store_fixture.h
tests_unit_test_store_property_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_exporter
tests_unit_test_exporter_LDADD = $(UNIT_LIBS) $(MHD_LIBS)
UNIT_TESTS += tests/unit/test_store_events
EVENTS_FIXTURE = tests/unit/events_fixture.c tests/unit/events_fixture.h \
	tests/unit/store_fixture.c tests/unit/store_fixture.h
tests_unit_test_store_events_SOURCES = tests/unit/test_store_events.c \
	$(EVENTS_FIXTURE)
tests_unit_test_store_events_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_trackd_request tests/unit/test_trackd_routes
TRACKD_FIXTURE = tests/unit/trackd_fixture.c tests/unit/trackd_fixture.h \
	$(TRACKD_PARTS)
tests_unit_test_trackd_request_SOURCES = tests/unit/test_trackd_request.c \
	$(TRACKD_FIXTURE)
tests_unit_test_trackd_request_LDADD = $(UNIT_LIBS)
tests_unit_test_trackd_routes_SOURCES = tests/unit/test_trackd_routes.c \
	$(TRACKD_FIXTURE)
tests_unit_test_trackd_routes_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_trackd_form
tests_unit_test_trackd_form_SOURCES = tests/unit/test_trackd_form.c \
	trackd/form.c
tests_unit_test_trackd_form_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_robot tests/unit/test_robot_parse \
	tests/unit/test_burst
EXTRA_DIST += tests/unit/robot_visit.h
ROBOT_SOURCES = trackd/robot.c trackd/robot.h trackd/robot_default.c \
	trackd/robot_parse.c trackd/robot_rules.h
tests_unit_test_robot_SOURCES = tests/unit/test_robot.c $(ROBOT_SOURCES)
tests_unit_test_robot_LDADD = $(UNIT_LIBS)
tests_unit_test_robot_parse_SOURCES = tests/unit/test_robot_parse.c \
	$(ROBOT_SOURCES)
tests_unit_test_robot_parse_LDADD = $(UNIT_LIBS)
tests_unit_test_burst_SOURCES = tests/unit/test_burst.c trackd/burst.c \
	trackd/burst.h
tests_unit_test_burst_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_mentions
tests_unit_test_mentions_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_rollup
tests_unit_test_rollup_SOURCES = tests/unit/test_rollup.c \
	tests/unit/store_fixture.c tests/unit/store_fixture.h
tests_unit_test_rollup_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_trackd_pages tests/unit/test_trackd_spool \
	tests/unit/test_trackd_unsubscribe
tests_unit_test_trackd_pages_SOURCES = tests/unit/test_trackd_pages.c \
	tests/unit/store_fixture.c tests/unit/store_fixture.h \
	$(TRACKD_PARTS)
tests_unit_test_trackd_pages_LDADD = $(UNIT_LIBS)
tests_unit_test_trackd_spool_SOURCES = tests/unit/test_trackd_spool.c \
	tests/unit/store_fixture.c tests/unit/store_fixture.h \
	$(TRACKD_PARTS)
tests_unit_test_trackd_spool_LDADD = $(UNIT_LIBS)
tests_unit_test_trackd_unsubscribe_SOURCES = \
	tests/unit/test_trackd_unsubscribe.c $(TRACKD_FIXTURE)
tests_unit_test_trackd_unsubscribe_LDADD = $(UNIT_LIBS)
UNIT_TESTS += tests/unit/test_event_sink
tests_unit_test_event_sink_SOURCES = tests/unit/test_event_sink.c \
	tests/unit/store_fixture.c tests/unit/store_fixture.h
tests_unit_test_event_sink_LDADD = $(UNIT_LIBS)
