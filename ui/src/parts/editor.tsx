// SPDX-License-Identifier: EUPL-1.2
// A text of rules as it is written: CodeMirror, which is fetched with this file. Its styles are made by
// script, which the policy lets into a shadow root alone; colours are the console's own.
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import {
  HighlightStyle,
  StreamLanguage,
  type StringStream,
  syntaxHighlighting
} from '@codemirror/language'
import { EditorState, StateEffect, StateField } from '@codemirror/state'
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers
} from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { useEffect, useRef } from 'preact/hooks'

export interface Mark {
  line: number
  column: number
  warning: boolean
}

// YAML, as far as colours need it.
function token(stream: StringStream): string | null {
  if (stream.eatSpace()) return null
  if (stream.match(/^#.*/)) return 'comment'
  if (stream.match(/^(-{3}|\.{3})$/)) return 'meta'
  if (stream.match(/^-(?=\s|$)/)) return 'punctuation'
  if (stream.match(/^[^\s'"#[\]{},:][^:#,[\]{}]*?(?=:(\s|$))/)) return 'propertyName'
  if (stream.match(/^'(?:[^']|'')*'|^"(?:[^"\\]|\\.)*"/)) return 'string'
  if (stream.match(/^(true|false|null)\b/)) return 'bool'
  if (stream.match(/^\d[\d.:-]*(?=\s|$)/)) return 'number'
  if (stream.match(/^[:,[\]{}|>]/)) return 'punctuation'
  stream.match(/^[^\s#,[\]{}]+/) || stream.next()
  return null
}

const colours = HighlightStyle.define([
  { tag: tags.comment, color: 'var(--ink-quiet)', fontStyle: 'italic' },
  { tag: tags.propertyName, color: 'var(--accent)', fontWeight: '600' },
  { tag: tags.string, color: 'var(--well)' },
  { tag: [tags.bool, tags.number], color: 'var(--high)' },
  { tag: [tags.punctuation, tags.meta], color: 'var(--ink-quiet)' }
])

const look = EditorView.theme({
  '&': {
    height: '100%',
    backgroundColor: 'var(--raised)',
    color: 'var(--ink)',
    fontSize: '0.9375rem'
  },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '2px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5' },
  '.cm-gutters': { backgroundColor: 'var(--panel)', color: 'var(--ink-quiet)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'var(--accent-wash)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)', borderLeftWidth: '2px' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground':
    {
      background: 'var(--line-strong) !important',
      opacity: '0.5'
    },
  '.wrong-line': {
    backgroundColor: 'var(--critical-wash)',
    boxShadow: 'inset 3px 0 var(--critical)'
  },
  '.warned-line': {
    backgroundColor: 'var(--attention-wash)',
    boxShadow: 'inset 3px 0 var(--attention)'
  }
})

const setMarks = StateEffect.define<Mark[]>()

function linesOf(state: EditorState, marks: Mark[]): DecorationSet {
  const lines = marks
    .filter(({ line }) => line >= 1)
    // What is missing at the end is marked at the end.
    .map(({ line, warning }) => ({ line: Math.min(line, state.doc.lines), warning }))
    .map(({ line, warning }) =>
      Decoration.line({ class: warning ? 'warned-line' : 'wrong-line' }).range(
        state.doc.line(line).from
      )
    )
  return Decoration.set(lines, true)
}

const marked = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (before, change) => {
    const told = change.effects.find((e) => e.is(setMarks))
    return told ? linesOf(change.state, told.value) : before.map(change.changes)
  },
  provide: (field) => EditorView.decorations.from(field)
})

interface EditorProps {
  label: string
  begin: string // what it has at first
  marks: Mark[]
  onValue: (text: string) => void
  goTo: Mark | null // where the caret is to be
}

export default function Editor({ label, begin, marks, onValue, goTo }: EditorProps) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const hear = useRef(onValue)
  hear.current = onValue
  useEffect(() => {
    if (!host.current) return
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open' })
    const made = new EditorView({
      parent: root,
      root,
      state: EditorState.create({
        doc: begin,
        extensions: [
          lineNumbers(),
          history(),
          drawSelection(),
          highlightActiveLine(),
          EditorState.tabSize.of(2),
          EditorView.lineWrapping,
          keymap.of([...defaultKeymap, ...historyKeymap]),
          StreamLanguage.define({ token }),
          syntaxHighlighting(colours),
          marked,
          look,
          EditorView.contentAttributes.of({
            'aria-label': label,
            spellcheck: 'false',
            tabindex: '0'
          }),
          EditorView.updateListener.of((change) => {
            if (change.docChanged) hear.current(change.state.doc.toString())
          })
        ]
      })
    })
    view.current = made
    return () => made.destroy()
  }, [])
  useEffect(() => view.current?.dispatch({ effects: setMarks.of(marks) }), [JSON.stringify(marks)])
  useEffect(() => {
    const at = view.current
    if (!at || !goTo || goTo.line < 1) return
    const line = at.state.doc.line(Math.min(goTo.line, at.state.doc.lines))
    const anchor = Math.min(line.to, line.from + Math.max(0, goTo.column - 1))
    at.dispatch({ selection: { anchor }, scrollIntoView: true })
    at.focus()
  }, [goTo])
  return <div ref={host} class="editor" />
}
