// SPDX-License-Identifier: EUPL-1.2
// A chart with what it is a picture of: the names of its lines, and its table.
import { formatNumber, formatTime } from '../lib/format'
import { later } from '../lib/later'
import { texts } from '../lib/text'
import type { ChartProps } from './chart'

const t = texts({
  table: ['Som tabell', 'As a table'],
  time: ['Tid', 'Time'],
  narrow: ['Visa bara {time}', 'Show only {time}']
})

const Chart = later(() => import('./chart'))

export function Figures(p: ChartProps) {
  const { label, times, step, series, onRange } = p
  const text = (s: number) => formatTime(new Date(s * 1000))
  return (
    <figure class="figure">
      <div class="chart-box">
        <Chart {...p} />
      </div>
      {series.length > 1 && (
        <figcaption class="legend">
          {series.map((s, n) => (
            <span key={s.name} class={`hue${n % 7}`}>
              {s.name}
            </span>
          ))}
        </figcaption>
      )}
      <details>
        <summary class="small quiet">{t('table')}</summary>
        <div class="table-box twin">
          <table>
            <caption class="unseen">{label}</caption>
            <thead>
              <tr>
                <th scope="col">{t('time')}</th>
                {series.map((s) => (
                  <th key={s.name} scope="col" class="number">
                    {s.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times.map((at, row) => (
                <tr key={at}>
                  <th scope="row">
                    {onRange ? (
                      <button
                        type="button"
                        class="link"
                        aria-label={t('narrow', { time: text(at) })}
                        onClick={() => onRange(at, at + step)}
                      >
                        {text(at)}
                      </button>
                    ) : (
                      text(at)
                    )}
                  </th>
                  {series.map((s) => (
                    <td key={s.name} class="number">
                      {formatNumber(s.values[row] ?? 0, 2)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  )
}
