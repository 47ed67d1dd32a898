// SPDX-License-Identifier: EUPL-1.2
// Takes the texts out of the script: `texts({ found: ['larm', 'alerts'] })` becomes `texts(7)`, and
// the words of table 7 stand in a file for each language, of which a browser fetches one.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

export const LANGUAGES = ['sv', 'en']

// The argument of each call of `texts` in a file.
function tablesOf(path, text) {
  const kind = path.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true, kind)
  const found = []
  const visit = (node) => {
    const isTable =
      ts.isCallExpression(node) &&
      ts.isIdentifier(node.expression) &&
      node.expression.text === 'texts' &&
      ts.isObjectLiteralExpression(node.arguments[0])
    if (isTable) found.push(node.arguments[0])
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found.map((table) => ({
    from: table.getStart(file),
    to: table.getEnd(),
    pairs: table.properties.map((p) => [p.name.text, p.initializer.elements.map((e) => e.text)])
  }))
}

// All tables of a folder of sources, numbered in the order of their names.
function readTables(folder) {
  const files = new Map()
  let n = 0
  for (const name of readdirSync(folder, { recursive: true }).map(String).sort()) {
    if (!/\.tsx?$/.test(name)) continue
    const path = join(folder, name)
    const text = readFileSync(path, 'utf8')
    const tables = tablesOf(path, text).map((table) => ({ ...table, number: n++ }))
    if (tables.length > 0) files.set(path, { text, tables })
  }
  return files
}

function replaceTables({ text, tables }) {
  let result = text
  for (const { from, to, number } of [...tables].reverse())
    result = result.slice(0, from) + number + result.slice(to)
  return result
}

// Writes the words into `assets`; `names` is where each language's are, `plugin` is esbuild's.
export function takeTexts(source, assets) {
  const files = readTables(source)
  mkdirSync(assets, { recursive: true })
  const names = LANGUAGES.map((language, at) => {
    const words = [...files.values()].flatMap(({ tables }) =>
      tables.map(({ pairs }) => Object.fromEntries(pairs.map(([key, both]) => [key, both[at]])))
    )
    const text = JSON.stringify(words)
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 8).toUpperCase()
    const name = `${language}-${hash}.json`
    writeFileSync(join(assets, name), text)
    return [language, `/assets/${name}`]
  })
  const plugin = {
    name: 'texts',
    setup(build) {
      build.onLoad({ filter: /\.tsx?$/ }, ({ path }) => {
        const file = files.get(path)
        const loader = path.endsWith('x') ? 'tsx' : 'ts'
        return file && { contents: replaceTables(file), loader }
      })
    }
  }
  return { names: Object.fromEntries(names), plugin }
}
