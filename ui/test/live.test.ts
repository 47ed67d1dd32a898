// SPDX-License-Identifier: EUPL-1.2
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeEvents } from '../src/lib/live'

const stream =
  'id: 1.1\nretry: 1000\n\nid: 1.2\nevent: alert\ndata: {"a": ": b"}\n\n: beat\n\nid: 1.3\nevent: incident\ndata: {}\n\n'

test('a stream is the same in whatever pieces it comes', () => {
  const whole = takeEvents(stream)
  assert.deepEqual(whole, {
    events: [
      { id: '1.1', event: '', data: '' },
      { id: '1.2', event: 'alert', data: '{"a": ": b"}' },
      { id: '1.3', event: 'incident', data: '{}' }
    ],
    rest: ''
  })
  for (let cut = 0; cut <= stream.length; cut++) {
    const first = takeEvents(stream.slice(0, cut))
    const second = takeEvents(first.rest + stream.slice(cut))
    assert.deepEqual([...first.events, ...second.events], whole.events)
  }
})
