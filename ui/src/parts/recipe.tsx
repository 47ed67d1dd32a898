// SPDX-License-Identifier: EUPL-1.2
// Text that is to be copied elsewhere as it stands: settings, a command.
import { texts } from '../lib/text'
import { toast } from '../lib/toasts'

const t = texts({
  copy: ['Kopiera', 'Copy'],
  copied: ['Kopierat', 'Copied']
})

export function Recipe({ name, text }: { name: string | undefined; text: string }) {
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <section class="recipe" tabIndex={0} aria-label={name}>
        <pre>{text}</pre>
      </section>
      <div class="buttons">
        <button
          type="button"
          class="button"
          onClick={() => navigator.clipboard.writeText(text).then(() => toast(t('copied')))}
        >
          {t('copy')}
        </button>
      </div>
    </>
  )
}
