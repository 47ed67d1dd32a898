// SPDX-License-Identifier: EUPL-1.2
// Native dialogs: the page behind is inert, Escape closes, the focus goes back to where it was.
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { texts } from '../lib/text'
import { sayProblem } from '../lib/toasts'
import { Note } from './states'

const t = texts({
  cancel: ['Avbryt', 'Cancel'],
  close: ['Stäng', 'Close']
})

interface DialogProps {
  title: string
  onClose: () => void
  children: ComponentChildren
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  )
}

export function Notice({ title, onClose, children }: DialogProps) {
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <div class="buttons">
        <button type="button" class="button" onClick={onClose}>
          {t('close')}
        </button>
      </div>
    </Dialog>
  )
}

interface AskProps extends DialogProps {
  action: string // what the button says it does
  grave?: boolean
  onDone: () => Promise<unknown> // false: something is asked first
}

// Asks for what is needed, does it, and stays open with what is wrong until it worked.
export function AskDialog({ title, action, grave = false, onDone, onClose, children }: AskProps) {
  const [error, setError] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const submit = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    try {
      setError(undefined)
      if ((await onDone()) !== false) onClose()
      else setBusy(false)
    } catch (problem) {
      setError(problem)
      setBusy(false)
    }
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit}>
        {children}
        {error !== undefined && <Note kind="bad">{sayProblem(error)}</Note>}
        <div class="buttons">
          <button type="button" class="button" onClick={onClose}>
            {t('cancel')}
          </button>
          <button type="submit" class={`button ${grave ? 'grave' : 'first'}`} disabled={busy}>
            {action}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
