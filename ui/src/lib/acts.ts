// SPDX-License-Identifier: EUPL-1.2
// What people do to incidents. A change names the version that was looked at, so that two people do
// not overrule each other without knowing.
import { post, type Schema } from './api'
import { language } from './prefs'
import { titleOf } from './text'

export type Incident = Schema<'Incident'>
export type ActName =
  | 'ack'
  | 'assign'
  | 'note'
  | 'task'
  | 'task_done'
  | 'triage'
  | 'contain'
  | 'close'
  | 'reopen'
  | 'merge'
  | 'split'
  | 'undo'
  | 'protect'
  | 'aware'
  | 'significant'
  | 'breach'
  | 'report'
  | 'evidence'

// Each has a schema of its own; what a form gathered is checked by the API, which names the member.
type AnyAct = '/incidents/{incident}/ack'

export function act(to: Pick<Incident, 'id' | 'version'>, name: ActName, body: object = {}) {
  return post(`/incidents/{incident}/${name}` as AnyAct, {
    path: { incident: String(to.id) },
    body: body as never,
    match: `"${to.version}.0"`
  })
}

// What happened, and the rest: "Shadow copies deleted: user anna." "Very likely an attack. Do first: …"
export function plainOf({
  plain_parts
}: Pick<Incident, 'plain_parts'>): [head: string, rest: string] {
  const [head = '', rest = ''] = plain_parts[language.value]
  return [head, rest]
}

// Of an alert of it: the incident knows what its rules are called in Swedish.
export function ruleTitle(incident: Incident, rule: { id: string | null; title: string | null }) {
  return titleOf(incident.rules?.find((r) => r.id === rule.id) ?? rule)
}
