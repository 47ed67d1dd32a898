// SPDX-License-Identifier: EUPL-1.2
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, worst } from '../src/lib/watch'

const well = {
  processes: {
    store: { disk: 'ok' },
    detect: { lag_s: 0, refused: 0, quarantined: 0 },
    triage: { sources_silent: 0 },
    collect: { records: { lost: {} }, requests: { lost: {} } }
  },
  supervisor: { clock: 'synchronised' }
}
const but = (process: string, member: object) => ({
  ...well,
  processes: { ...well.processes, [process]: member }
})
const keys = (status: typeof well) => judge(status).map((f) => f.key)

test('a watch that is well has no findings', () => {
  assert.deepEqual(judge(well), [])
  assert.equal(worst([]), 'well')
})

test('each thing that is wrong is found', () => {
  assert.deepEqual(keys(but('store', { disk: 'full' })), ['diskFull'])
  assert.deepEqual(keys(but('store', { disk: 'warn' })), ['disk'])
  assert.deepEqual(keys(but('detect', { lag_s: 61 })), ['behind'])
  assert.deepEqual(keys(but('detect', { lag_s: 60, refused: 2, quarantined: 1 })), [
    'quarantined',
    'refusedRules'
  ])
  assert.deepEqual(keys(but('triage', { sources_silent: 1 })), ['quietSources'])
  assert.deepEqual(
    keys(but('collect', { records: { lost: { busy: 2 } }, requests: { lost: { size: 1 } } })),
    ['lost']
  )
  assert.deepEqual(keys({ ...well, supervisor: { clock: 'unsynchronised' } }), ['clock'])
})

test('a process that says nothing is worse than anything', () => {
  const found = judge(but('triage', null as unknown as object))
  assert.equal(worst(found), 'bad')
  assert.deepEqual(found[0]?.values, { names: 'triage' })
})

test('a canary that does not come through is the first thing that is told', () => {
  const line = { sv: 'Kontrollsignalen fastnar', en: 'The canary is stuck' }
  const proof = { awake: false, broken: 'match', line, proof: null }
  const found = judge(well, proof)
  assert.deepEqual(found, [{ key: 'asleep', is: 'bad', values: {}, line }])
  assert.deepEqual(judge(well, { ...proof, awake: true }), [])
  assert.equal(worst(judge(well, { ...proof, broken: 'nothing' })), 'attention')
})

test('a way that reached nobody is told, whatever else is well', () => {
  const way = (state: 'failed' | 'proven', channel: string) => ({
    provider: 'elks',
    channel,
    state,
    asked: 'anna',
    asked_at: null,
    reached: null,
    proven_at: null,
    detail: null
  })
  const ways = [way('failed', 'voice'), way('proven', 'sms'), way('failed', 'mail')]
  const proof = { person: 'anna', next_at: null, reached: null, ways }
  const line = { sv: 'vaken', en: 'awake' }
  const found = judge(well, { awake: true, broken: 'nothing', line, proof })
  assert.deepEqual(found, [
    { key: 'unproven', is: 'attention', values: { ways: 'voice (elks), mail (elks)' } }
  ])
})

test('who says nothing once has begun anew; who says nothing twice is silent', () => {
  const told = { processes: { web: null, store: {} }, supervisor: null }
  assert.deepEqual(judge(told, undefined, new Set()), [])
  const [found] = judge(told, undefined, new Set(['web']))
  assert.deepEqual([found?.key, found?.values.names], ['silent', 'web'])
})
