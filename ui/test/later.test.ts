// SPDX-License-Identifier: EUPL-1.2
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { persist } from '../src/lib/later'

test('a part that cannot be fetched is fetched again', async () => {
  let asked = 0
  const part = await persist(async () => {
    if (++asked < 2) throw new TypeError('Failed to fetch')
    return 'part'
  })
  assert.equal(part, 'part')
  assert.equal(asked, 2)
})

test('who answers, and has no such part, is another version: the console begins anew', async (t) => {
  let renewed = 0
  let up = false
  t.mock.method(globalThis, 'fetch', async () => {
    if (!up) throw new TypeError('Failed to fetch')
    return new Response('')
  })
  let asked = 0
  const part = await persist(
    async () => {
      asked++
      if (renewed) return 'part'
      // Nobody answers at first: then there is nothing to begin anew with.
      up = asked > 3
      throw new TypeError('Failed to fetch')
    },
    () => renewed++
  )
  assert.equal(part, 'part')
  assert.equal(renewed, 1)
  assert.equal(asked, 5)
})
