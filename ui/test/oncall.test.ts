// SPDX-License-Identifier: EUPL-1.2
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf } from '../src/lib/oncall'
import { byPerson, type Paged } from '../src/parts/paging'

test('the first plan has begun already, and quotes what people write', () => {
  const text = planOf({
    user: 'sven.ask',
    name: 'Sven "S" Ask: chef',
    team: 'Beredskap',
    channel: 'sms',
    address: '+46701740601'
  })
  assert.match(text, /- id: "sven-ask"\n {4}name: "Sven \\"S\\" Ask: chef"\n {4}user: "sven\.ask"/)
  const since = /since: (\d{4}-\d\d-\d\d)/.exec(text)?.[1] ?? ''
  const days = (Date.now() - Date.parse(since)) / 86_400_000
  assert.ok(days >= 7 && days < 10, since)
})

test('a person is as far as the best of his contacts, with all that was tried', () => {
  const told = (
    person: string,
    state: string,
    attempts: number[],
    acked: string | null = null
  ) => ({
    step: 1,
    person,
    name: person,
    state,
    acked,
    attempts: attempts.map((id) => ({ id }))
  })
  const found = byPerson([
    told('bo', 'taken', [1]),
    told('bo', 'waits', []),
    told('eva', 'failed', [2]),
    told('eva', 'delivered', [3]),
    told('eva', 'over', [], '2026-12-24T03:00:00Z')
  ] as unknown as Paged['told'])
  assert.deepEqual(
    found.map((p) => [p.person, p.state, p.acked !== null, p.attempts.map((a) => a.id)]),
    [
      ['bo', 'taken', false, [1]],
      ['eva', 'over', true, [2, 3]]
    ]
  )
})
