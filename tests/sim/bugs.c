/* SPDX-License-Identifier: EUPL-1.2 */
/*
 * Mistakes that the checks are to find: triggers in the databases, so that the code that is tried
 * is the shipping one. Each does now and then what a wrong line of code would do.
 */
#include <string.h>

#include "world.h"

const struct bug bugs[] = {
    {"lost-handover", "triage forgets to hand an incident over", true,
     "CREATE TRIGGER bug AFTER INSERT ON handover WHEN NEW.how = 0 AND NEW.incident % 5 = 0"
     " BEGIN DELETE FROM handover WHERE id = NEW.id; END"},
    {"lost-page", "a page that begins is forgotten", false,
     "CREATE TRIGGER bug AFTER UPDATE OF page ON subject WHEN NEW.incident % 5 = 0"
     " BEGIN DELETE FROM page_incident WHERE subject = NEW.id;"
     " DELETE FROM deadline WHERE kind = 1 AND id = NEW.page; END"},
    {"stuck-step", "a step has no deadline", false,
     "CREATE TRIGGER bug AFTER INSERT ON deadline WHEN NEW.kind = 1 AND NEW.id % 5 = 0"
     " BEGIN DELETE FROM deadline WHERE kind = 1 AND id = NEW.id; END"},
    {"double-step", "a step is begun twice", false,
     "CREATE TRIGGER bug AFTER UPDATE OF steps ON page WHEN NEW.steps = 2 AND NEW.id % 3 = 0"
     " BEGIN UPDATE page SET step = 0 WHERE id = NEW.id; END"},
    {"sent-twice", "what a provider has taken is sent once more", false,
     "CREATE TRIGGER bug AFTER INSERT ON told WHEN NEW.what = 1 AND NEW.incident % 3 = 0"
     " BEGIN INSERT OR REPLACE INTO deadline SELECT 3, n.id, (SELECT latest FROM moment) +"
     " 60000000000 FROM notice n JOIN subject s ON s.page = n.page WHERE s.incident = NEW.incident"
     " AND n.state = 2; UPDATE notice SET state = 0 WHERE state = 2 AND page IN (SELECT page FROM"
     " subject WHERE incident = NEW.incident); END"},
    {"impatient", "an attempt is given up before it can have ended", false,
     "CREATE TRIGGER bug AFTER INSERT ON deadline WHEN NEW.kind = 4"
     " BEGIN UPDATE deadline SET due = due - 22000000000 WHERE kind = 4 AND id = NEW.id; END"},
    {"unproven", "a proof is not planned again", false,
     "CREATE TRIGGER bug AFTER INSERT ON deadline WHEN NEW.kind = 8 AND EXISTS (SELECT 1 FROM way)"
     " BEGIN DELETE FROM deadline WHERE kind = 8; END"},
    {"for-ever", "a disturbance is never ended", false,
     "CREATE TRIGGER bug AFTER INSERT ON deadline WHEN NEW.kind = 9"
     " BEGIN DELETE FROM deadline WHERE kind = 9 AND id = NEW.id; END"},
    {"lost-word", "a refusal ends the notice", false,
     "CREATE TRIGGER bug AFTER UPDATE OF state ON attempt WHEN NEW.state IN (4, 5, 7)"
     " BEGIN UPDATE notice SET state = 5 WHERE page IN (SELECT page FROM notice WHERE id ="
     " NEW.notice); DELETE FROM deadline WHERE kind = 1 AND id IN (SELECT page FROM notice WHERE"
     " id = NEW.notice); END"},
    {"lost-ack", "triage does not hear who has it", false,
     "CREATE TRIGGER bug AFTER INSERT ON told WHEN NEW.what = 2 AND NEW.incident % 4 = 0"
     " BEGIN DELETE FROM told WHERE id = NEW.id; END"},
    {"morning-lost", "what waits for morning waits for ever", false,
     "CREATE TRIGGER bug AFTER INSERT ON deadline WHEN NEW.kind = 0"
     " BEGIN DELETE FROM deadline WHERE kind = 0 AND id = NEW.id; END"},
    {"silent", "nobody hears that a page is loud", false,
     "CREATE TRIGGER bug AFTER INSERT ON told WHEN NEW.what = 4"
     " BEGIN DELETE FROM told WHERE id = NEW.id; END"},
    {"overwritten", "a time is overwritten", true,
     "CREATE TRIGGER bug AFTER UPDATE OF acked ON incident WHEN NEW.acked IS NOT NULL"
     " BEGIN UPDATE incident SET notified = notified + 60000000000 WHERE id = NEW.id; END"},
    {"unlisted", "an incident joins a page and is not on its list", false,
     "CREATE TRIGGER bug AFTER INSERT ON page_incident WHEN NEW.number > 2"
     " BEGIN DELETE FROM page_incident WHERE page = NEW.page AND number = NEW.number; END"},
    {"unseen-ack", "who answers has what he was never told of", false,
     "CREATE TRIGGER bug AFTER INSERT ON notice BEGIN UPDATE notice SET listed = 5000"
     " WHERE id = NEW.id; END"},
    {NULL, NULL, false, NULL},
};

const struct bug *bug_find(const char *name)
{
    for (const struct bug *b = bugs; b->name; b++)
        if (strcmp(b->name, name) == 0) return b;
    return NULL;
}
