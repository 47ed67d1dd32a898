// SPDX-License-Identifier: EUPL-1.2
// Builds the console: node build.mjs FOLDER [LIST DEPFILE]
//
// FOLDER gets index.html and assets/, whose names have a hash of what is in them, each beside itself
// packed (.gz); among them the words of each language (texts.mjs). LIST gets the paths of all, a line each, for script/embed.py, and DEPFILE what they
// were made of, for ninja.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { takeTexts } from './texts.mjs'

const here = dirname(fileURLToPath(import.meta.url))

export const options = {
  absWorkingDir: here,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  // One preact for all, also for what was written for React's names.
  alias: { react: 'preact/compat' },
  legalComments: 'none',
  logLevel: 'warning'
}

async function bundle(folder) {
  const { names, plugin } = takeTexts(join(here, 'src'), join(folder, 'assets'))
  return await build({
    ...options,
    entryPoints: { main: 'src/main.tsx', style: 'src/style/index.css' },
    outdir: join(folder, 'assets'),
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    loader: { '.woff2': 'file', '.svg': 'file' },
    define: { TEXTS: JSON.stringify(names) },
    plugins: [plugin],
    splitting: true,
    minify: true,
    metafile: true
  })
}

// The shell names what is needed at first; everything else is asked for when a page wants it.
function writeShell(folder, metafile) {
  const outputs = Object.entries(metafile.outputs)
  const named = (path) => relative(folder, resolve(here, path))
  const entry = (source) => outputs.find(([, output]) => output.entryPoint === source)
  const [script, main] = entry('src/main.tsx')
  const [style] = entry('src/style/index.css')
  const early = main.imports.filter((i) => i.kind === 'import-statement').map((i) => i.path)
  const font = outputs.map(([path]) => path).find((path) => /next-latin-wght-normal/.test(path))
  const preload = [
    ...early.map((path) => `<link rel="modulepreload" href="/${named(path)}">`),
    `<link rel="preload" href="/${named(font)}" as="font" type="font/woff2" crossorigin>`
  ]
  const shell = readFileSync(join(here, 'src/index.html'), 'utf8')
    .replace(/<!--.*?-->\n?/s, '')
    .replace('@SCRIPT@', `/${named(script)}`)
    .replace('@STYLE@', `/${named(style)}`)
    .replace('@PRELOAD@', preload.join('\n    '))
  writeFileSync(join(folder, 'index.html'), shell)
}

function listFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((e) => (e.isDirectory() ? listFiles(join(folder, e.name)) : [join(folder, e.name)]))
    .sort()
}

function pack(folder) {
  for (const path of listFiles(folder))
    if (!path.endsWith('.woff2'))
      writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }))
}

export async function buildConsole(folder) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const { metafile } = await bundle(folder)
  writeShell(folder, metafile)
  pack(folder)
  return { files: listFiles(folder), sources: Object.keys(metafile.inputs), metafile }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [into, list, depfile] = process.argv.slice(2)
  const { files, sources } = await buildConsole(resolve(into))
  if (list) writeFileSync(list, `${files.join('\n')}\n`)
  const from = ['src/index.html', ...sources].map((path) => resolve(here, path))
  if (depfile) writeFileSync(depfile, `${list}: ${from.join(' ')}\n`)
}
