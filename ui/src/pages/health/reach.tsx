// SPDX-License-Identifier: EUPL-1.2
// Whom the daily proof has really reached, and by which ways nobody was.
import { get, type Schema } from '../../lib/api'
import { useLoad } from '../../lib/load'
import { channelName } from '../../lib/oncall'
import { may } from '../../lib/session'
import { texts } from '../../lib/text'
import { type Condition, Lamp, Time } from '../../parts/marks'
import { Table } from '../../parts/table'

const t = texts({
  proof: ['Dagens prov', 'The daily proof'],
  off: [
    'Inget dagligt prov: att sms och samtal verkligen når fram visar sig först när det gäller. Det ställs in i planen med proof.',
    'No daily proof: whether messages and calls really arrive shows when it matters. It is set up in the plan with proof.'
  ],
  noWays: ['Ingen leverantör av meddelanden är inställd.', 'No provider of messages is set up.'],
  next: ['Nästa', 'Next'],
  way: ['Väg', 'Way'],
  state: ['Läge', 'State'],
  last: ['Nådde senast', 'Reached last'],
  detail: ['Vad som hände', 'What happened'],
  never: ['inte prövad', 'not tried'],
  waits: ['väntar på svar', 'waits for an answer'],
  proven: ['når fram', 'arrives'],
  failed: ['nådde inte fram', 'did not arrive']
})

type Proof = Schema<'Proof'>
type Way = Proof['ways'][number]

const CONDITIONS: Record<Way['state'], Condition> = {
  never: 'unknown',
  waits: 'unknown',
  proven: 'well',
  failed: 'attention'
}

export function Reach({ proof }: { proof: Proof | null }) {
  const fair = useLoad(proof && may('oncall.read') ? 'people' : null, (signal) =>
    get('/oncall/fairness', { signal })
  )
  const nameOf = (id: string | null) =>
    fair.value?.people.find(({ person }) => person === id)?.shown ?? id
  return (
    <>
      <h3>{t('proof')}</h3>
      {!proof && <p class="quiet">{t('off')}</p>}
      {proof?.ways.length === 0 && <p class="quiet">{t('noWays')}</p>}
      {proof && proof.ways.length > 0 && (
        <Table
          caption={t('proof')}
          rows={proof.ways}
          id={(way) => `${way.channel} ${way.provider}`}
          columns={[
            { name: t('way'), show: (way) => `${channelName(way.channel)} via ${way.provider}` },
            {
              name: t('state'),
              show: (way) => (
                <span class="line-marks">
                  <Lamp is={CONDITIONS[way.state]} /> {t(way.state)}
                </span>
              )
            },
            {
              name: t('last'),
              class: 'late',
              show: (way) =>
                way.proven_at ? (
                  <>
                    {nameOf(way.reached)} <Time at={way.proven_at} />
                  </>
                ) : (
                  '–'
                )
            },
            { name: t('detail'), class: 'late', show: (way) => way.detail ?? '' }
          ]}
        />
      )}
      {proof?.next_at && (
        <p class="quiet small">
          {t('next')}: {nameOf(proof.person)}, <Time at={proof.next_at} show="at" />
        </p>
      )}
    </>
  )
}
