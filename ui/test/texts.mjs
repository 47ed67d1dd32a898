// SPDX-License-Identifier: EUPL-1.2
// Every text is there in Swedish and English with the same values, is used, and no word stands
// outside the tables. Asked of TypeScript's own understanding of the source.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
// The same in both languages.
const ALIKE = new Set([
  'user.name: anna and not source.ip: 10.0.0.0/8 | count by host.name',
  '{from} – {to}',
  'ATT&CK',
  'Disk',
  'Incident {id}',
  'Process',
  'Status',
  'Format',
  'Version',
  'URL',
  'hash',
  '{kind}',
  '{who}: {from} – {until}',
  'Administration',
  'ATT&CK',
  'Disk',
  'Person',
  'SMS',
  'Teams',
  'webhook',
  'Process',
  'information',
  'system',
  'status',
  'Status'
])
const WORDS_OUTSIDE = new Set(['Vaka', 'Vaka ·', 'vaka rules test'])

const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: false })
  .map(String)
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => join(root, 'src', name))
const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile)
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
const program = ts.createProgram(sources, options)
const checker = program.getTypeChecker()

function* nodes(of) {
  yield of
  const children = []
  ts.forEachChild(of, (child) => void children.push(child))
  for (const child of children) yield* nodes(child)
}

// `const t = texts({…})` of a file: its name and its pairs.
function tableOf(file) {
  for (const node of nodes(file)) {
    if (!ts.isVariableDeclaration(node) || !node.initializer) continue
    if (!ts.isCallExpression(node.initializer)) continue
    if (node.initializer.expression.getText(file) !== 'texts') continue
    const pairs = new Map()
    for (const property of node.initializer.arguments[0].properties) {
      const key = property.name.getText(file).replace(/^'|'$/g, '')
      pairs.set(
        key,
        property.initializer.elements.map((e) => e.text)
      )
    }
    return { symbol: checker.getSymbolAtLocation(node.name), pairs }
  }
  return undefined
}

// The keys that calls of it may name, by the types of what they pass.
function usedKeys(file, symbol) {
  const used = new Set()
  for (const node of nodes(file)) {
    if (!ts.isCallExpression(node) || checker.getSymbolAtLocation(node.expression) !== symbol)
      continue
    const type = checker.getTypeAtLocation(node.arguments[0])
    for (const one of type.isUnion() ? type.types : [type])
      if (one.isStringLiteral()) used.add(one.value)
  }
  return used
}

const places = (text) => [...text.matchAll(/\{(\w+)/g)].map((m) => m[1])
const files = program.getSourceFiles().filter((f) => sources.includes(f.fileName))
const tables = files.flatMap((file) => {
  const table = tableOf(file)
  return table ? [{ ...table, file, name: relative(root, file.fileName) }] : []
})

test('there are tables', () => assert.ok(tables.length > 10))

test('every text is used', () => {
  const unused = tables.flatMap(({ file, symbol, pairs, name }) => {
    const used = usedKeys(file, symbol)
    return [...pairs.keys()].filter((key) => !used.has(key)).map((key) => `${name}: ${key}`)
  })
  assert.deepEqual(unused, [])
})

test('every text is there in both languages', () => {
  const faults = tables.flatMap(({ pairs, name }) =>
    [...pairs]
      .filter(([, [sv, en]]) => !sv?.trim() || !en?.trim() || (sv === en && !ALIKE.has(sv)))
      .map(([key]) => `${name}: ${key}`)
  )
  assert.deepEqual(faults, [])
})

test('both have the same values', () => {
  const faults = tables.flatMap(({ pairs, name }) =>
    [...pairs]
      .filter(
        ([, [sv, en]]) =>
          String([...new Set(places(sv))].sort()) !== String([...new Set(places(en))].sort())
      )
      .map(([key]) => `${name}: ${key}`)
  )
  assert.deepEqual(faults, [])
})

// What is typed is the same in every language.
const isCode = (node) => /^<(code|kbd)\b/.test(node.parent.openingElement?.getText() ?? '')

test('no word stands outside of them', () => {
  const faults = files.flatMap((file) =>
    [...nodes(file)]
      .filter((node) => ts.isJsxText(node) && /\p{L}{2,}/u.test(node.text) && !isCode(node))
      .map((node) => node.text.trim())
      .filter((text) => !WORDS_OUTSIDE.has(text))
  )
  assert.deepEqual(faults, [])
})
