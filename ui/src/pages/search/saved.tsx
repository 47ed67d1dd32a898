// SPDX-License-Identifier: EUPL-1.2
// Searches that were kept under a name: everybody who may search shares them.
import { useSignal } from '@preact/signals'
import { get, put, remove } from '../../lib/api'
import { searchUrl } from '../../lib/links'
import { useLoad } from '../../lib/load'
import type { Range } from '../../lib/range'
import { texts } from '../../lib/text'
import { toast, toastProblem } from '../../lib/toasts'
import { Dialog } from '../../parts/dialog'
import { TextField } from '../../parts/field'
import { Note, Show } from '../../parts/states'

const t = texts({
  open: ['Sparade …', 'Saved …'],
  title: ['Sparade sökningar', 'Saved searches'],
  none: ['Inga sparade sökningar.', 'No saved searches.'],
  forget: ['Glöm {name}', 'Forget {name}'],
  forgetShort: ['Glöm', 'Forget'],
  name: ['Spara den här sökningen som', 'Save this search as'],
  save: ['Spara', 'Save'],
  saved: ['Sökningen är sparad som {name}.', 'The search is saved as {name}.'],
  close: ['Stäng', 'Close']
})

interface SavedProps {
  query: string // empty: there is none to be kept
  range: Range
}

function List({ query, range, onClose }: SavedProps & { onClose: () => void }) {
  const name = useSignal('')
  const page = useLoad('searches', (signal) => get('/searches', { signal }))
  const save = async (event: Event) => {
    event.preventDefault()
    try {
      await put('/searches/{name}', { path: { name: name.value }, body: { query } })
      toast(t('saved', { name: name.value }))
      onClose()
    } catch (problem) {
      toastProblem(problem)
    }
  }
  const forget = (of: string) =>
    remove('/searches/{name}', { path: { name: of } }).then(() => page.reload(), toastProblem)
  return (
    <Dialog title={t('title')} onClose={onClose}>
      <Show of={page}>
        {({ searches }) =>
          searches.length === 0 ? (
            <Note>{t('none')}</Note>
          ) : (
            <ul class="plain-list">
              {searches.map((s) => (
                <li key={s.name} class="task">
                  <span>
                    <a href={searchUrl(s.query, range.from, range.to)} onClick={onClose}>
                      {s.name}
                    </a>
                    <span class="mono small quiet block wrap">{s.query}</span>
                  </span>
                  <button
                    type="button"
                    class="button"
                    aria-label={t('forget', { name: s.name })}
                    onClick={() => void forget(s.name)}
                  >
                    {t('forgetShort')}
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </Show>
      <form onSubmit={save}>
        {query && (
          <TextField
            label={t('name')}
            value={name.value}
            required
            onValue={(v) => (name.value = v)}
          />
        )}
        <div class="buttons">
          <button type="button" class="button" onClick={onClose}>
            {t('close')}
          </button>
          {query && (
            <button type="submit" class="button first">
              {t('save')}
            </button>
          )}
        </div>
      </form>
    </Dialog>
  )
}

export function Saved(props: SavedProps) {
  const open = useSignal(false)
  return (
    <>
      <button type="button" class="button" onClick={() => (open.value = true)}>
        {t('open')}
      </button>
      {open.value && <List {...props} onClose={() => (open.value = false)} />}
    </>
  )
}
