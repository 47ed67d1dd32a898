// SPDX-License-Identifier: EUPL-1.2
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem, post, readText } from '../src/lib/api'

const pieces = (bytes: number[][], end: (c: ReadableStreamDefaultController) => void) =>
  new Response(
    new ReadableStream({
      start(controller) {
        for (const piece of bytes) controller.enqueue(new Uint8Array(piece))
        end(controller)
      }
    })
  )

async function all(answer: Response, signal = new AbortController().signal) {
  let text = ''
  for await (const part of readText(answer, signal)) text += part
  return text
}

test('a letter may come in two pieces', async () => {
  assert.equal(await all(pieces([[0x61, 0xc3], [0xa5]], (c) => c.close())), 'aå')
})

test('a connection that ends is a problem, and one that was ended is not', async () => {
  const lost = () => pieces([], (c) => c.error(new TypeError('network error')))
  await assert.rejects(all(lost()), (error) => error instanceof Problem && error.status === 0)
  const ended = new AbortController()
  ended.abort()
  await assert.rejects(all(lost(), ended.signal), TypeError)
})

test('an operation without a body is sent none', async () => {
  const sent: RequestInit[] = []
  const before = globalThis.fetch
  globalThis.fetch = async (_, init) => {
    sent.push(init ?? {})
    return new Response('{}')
  }
  try {
    await post('/drills/stop')
    await post('/pages/{page}/escalate', { path: { page: '1' }, body: {} })
  } finally {
    globalThis.fetch = before
  }
  assert.deepEqual(
    sent.map((init) => init.body),
    [undefined, '{}']
  )
})
