// SPDX-License-Identifier: EUPL-1.2
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address } from '../src/lib/api'
import { kql, ownPath, queueUrl, searchUrl } from '../src/lib/links'

test('a login leads back to a page of ours, and nowhere else', () => {
  assert.equal(ownPath('/queue?level=high'), '/queue?level=high')
  const elsewhere = [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example/',
    'javascript:alert(1)',
    '',
    null
  ]
  for (const to of elsewhere) assert.equal(ownPath(to), '/')
})

test('values are quoted', () => {
  assert.equal(kql('user.name', 'a"b\\c'), 'user.name: "a\\"b\\\\c"')
  assert.equal(kql(undefined, '*'), '"*"')
})

test('addresses hold what they are given', () => {
  assert.equal(searchUrl('a: "å&b"', '-30d'), '/search?q=a%3A+%22%C3%A5%26b%22&from=-30d')
  assert.equal(queueUrl({ level: undefined, entity: '' }), '/queue')
  assert.equal(
    address('/incidents/{incident}/alerts', { incident: '../x' }, { limit: 5, cursor: undefined }),
    '/api/v1/incidents/..%2Fx/alerts?limit=5'
  )
})
