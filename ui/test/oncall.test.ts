// SPDX-License-Identifier: EUPL-1.2
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf } from '../src/lib/oncall'

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
