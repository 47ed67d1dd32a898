// SPDX-License-Identifier: EUPL-1.2
// How much script there is, as it is sent: node size.mjs
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { buildConsole } from '../build.mjs'

const MOST = 120 * 1024
// Fetched by who writes rules only.
const isEditor = (path) => basename(path).startsWith('editor-')

test('all script but the editor of rules is 120 kB at the most', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vaka-console-'))
  try {
    const { files } = await buildConsole(folder)
    const packed = files.filter((path) => path.endsWith('.js.gz') && !isEditor(path))
    const sum = packed.reduce((all, path) => all + statSync(path).size, 0)
    assert.ok(sum > MOST / 2 && sum <= MOST, `${sum} bytes in ${packed.length} files`)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
