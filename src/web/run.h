/* SPDX-License-Identifier: EUPL-1.2 */
/* The functions of endpoints.tbl: each answers, refuses, or waits. */
#ifndef VAKA_WEB_RUN_H
#define VAKA_WEB_RUN_H

struct api_call;

/* login.c */
void api_login(struct api_call *c);
void api_login_code(struct api_call *c);
void api_login_elsewhere(struct api_call *c);
void api_login_return(struct api_call *c);
void api_login_ways(struct api_call *c);
void api_session(struct api_call *c);
/* manage.c */
void api_manage(struct api_call *c);
/* alerts.c */
void api_alerts(struct api_call *c);
void api_alert(struct api_call *c);
void api_alert_record(struct api_call *c);
/* rules.c */
void api_rules(struct api_call *c);
void api_rule(struct api_call *c);
void api_retro(struct api_call *c);
/* incidents.c */
void api_incidents(struct api_call *c);
void api_queue(struct api_call *c);
void api_incident(struct api_call *c);
void api_incident_alerts(struct api_call *c);
void api_incident_log(struct api_call *c);
void api_incident_similar(struct api_call *c);
void api_assets(struct api_call *c);
void api_noise(struct api_call *c);
void api_organisation(struct api_call *c);
void api_act(struct api_call *c);
void api_deed(struct api_call *c);
void api_suppressions(struct api_call *c);
void api_suppress(struct api_call *c);
void api_unsuppress(struct api_call *c);
/* search.c */
void api_search(struct api_call *c);
void api_rules_try(struct api_call *c);
void api_rules_check(struct api_call *c);
void api_rules_draft(struct api_call *c);
void api_audit(struct api_call *c);
void api_verify(struct api_call *c);
void api_evidence(struct api_call *c);
void api_version_try(struct api_call *c);
/* callback.c */
void api_callback(struct api_call *c);
void api_providers(struct api_call *c);
/* oncall.c */
void api_oncall_who(struct api_call *c);
void api_oncall_schedule(struct api_call *c);
void api_oncall_check(struct api_call *c);
void api_oncall_fairness(struct api_call *c);
void api_oncall_rest(struct api_call *c);
void api_oncall_changes(struct api_call *c);
void api_oncall_plan(struct api_call *c);
void api_oncall_me(struct api_call *c);
void api_oncall_act(struct api_call *c);
/* pages.c */
void api_pages(struct api_call *c);
void api_page(struct api_call *c);
void api_page_act(struct api_call *c);
/* events.c */
void api_events(struct api_call *c);
/* about.c */
void api_status(struct api_call *c);
void api_awake(struct api_call *c);
void api_drills(struct api_call *c);
void api_drill(struct api_call *c);
void api_drill_run(struct api_call *c);
void api_drill_stop(struct api_call *c);
void api_sources(struct api_call *c);
void api_store(struct api_call *c);
void api_settings(struct api_call *c);
void api_products(struct api_call *c);
void api_indicators(struct api_call *c);
void api_exceptions(struct api_call *c);
void api_coverage(struct api_call *c);
void api_openapi(struct api_call *c);

#endif
