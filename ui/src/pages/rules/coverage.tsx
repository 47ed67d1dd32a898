// SPDX-License-Identifier: EUPL-1.2
// What of MITRE ATT&CK would be seen: a column for each tactic, a cell for each technique, each with
// the rules that are its evidence.
import { useSignal } from '@preact/signals'
import { get, type Schema } from '../../lib/api'
import { formatNumber, formatPercent } from '../../lib/format'
import { useLoad } from '../../lib/load'
import { texts } from '../../lib/text'
import { Check } from '../../parts/field'
import { Show } from '../../parts/states'

const t = texts({
  seen: ['{n} av {all} tekniker har regler', '{n} of {all} techniques have rules'],
  tested: [
    '{n} har en regel med ett prov som får den att larma',
    '{n} have a rule with a test that fires it'
  ],
  bare: ['Visa även tekniker utan regler', 'Show techniques without rules as well'],
  rules: ['{n} {n|regel|regler}', '{n} {n|rule|rules}'],
  tests: ['{n} prövade', '{n} tested'],
  none: ['ingen regel', 'no rule'],
  bySubs: ['genom undertekniker', 'by sub-techniques'],
  subs: ['{n} {n|undertekniker|undertekniker}', '{n} {n|sub-technique|sub-techniques}'],
  of: ['{n} av {all}', '{n} of {all}'],
  key: [
    'Färgad kant: regel med prov. Streckad: regel utan prov. Utan kant: ingen egen regel.',
    'Coloured edge: a rule with a test. Dashed: a rule without one. No edge: no rule of its own.'
  ]
})

// As an attack goes on.
const TACTICS = [
  'Reconnaissance',
  'Resource Development',
  'Initial Access',
  'Execution',
  'Persistence',
  'Privilege Escalation',
  'Defense Evasion',
  'Credential Access',
  'Discovery',
  'Lateral Movement',
  'Collection',
  'Command and Control',
  'Exfiltration',
  'Impact'
]

type Technique = Schema<'Coverage'>['techniques'][number]

const kindOf = ({ rules, tested }: Technique) =>
  tested ? 'tested' : rules.length ? 'ruled' : 'bare'

interface CellProps {
  of: Technique
  bySubs?: boolean // rules are there for what is below it
}

function Standing({ of: { rules, tested }, bySubs }: CellProps) {
  if (rules.length === 0) return <span class="quiet small">{t(bySubs ? 'bySubs' : 'none')}</span>
  return (
    <span class="small">
      {t('rules', { n: rules.length })}
      {tested > 0 && ` · ${t('tests', { n: tested })}`}
    </span>
  )
}

function Cell({ of, bySubs = false }: CellProps) {
  const name = of.name.split(': ').at(-1)
  const body = (
    <>
      <span class="small quiet mono">{of.technique}</span>
      <span lang="en">{name}</span>
      <Standing of={of} bySubs={bySubs} />
    </>
  )
  if (of.rules.length === 0) return <span class="cell bare">{body}</span>
  return (
    <a class={`cell ${kindOf(of)}`} href={`/rules?technique=${of.technique}`}>
      {body}
    </a>
  )
}

interface Family {
  head: Technique
  subs: Technique[]
}

function familiesOf(techniques: Technique[]): Family[] {
  const heads = new Map<string, Family>()
  for (const x of techniques)
    if (!x.technique.includes('.')) heads.set(x.technique, { head: x, subs: [] })
  for (const x of techniques)
    if (x.technique.includes('.')) heads.get(x.technique.split('.')[0] as string)?.subs.push(x)
  return [...heads.values()]
}

const isOf = ({ head }: Family, tactic: string) => head.tactics.split(', ').includes(tactic)
const isSeen = ({ head, subs }: Family) => [head, ...subs].some((x) => x.rules.length > 0)

function Tactic({ name, families }: { name: string; families: Family[] }) {
  const id = `tactic-${name.replace(/\W+/g, '-')}`
  return (
    <section class="tactic" aria-labelledby={id}>
      <h2 id={id} lang="en">
        {name}
      </h2>
      <ul>
        {families.map((family) => (
          <li key={family.head.technique}>
            <Cell of={family.head} bySubs={isSeen(family)} />
            {family.subs.length > 0 && (
              <details>
                <summary class="small">
                  {t('of', {
                    n: family.subs.filter((x) => x.rules.length > 0).length,
                    all: t('subs', { n: family.subs.length })
                  })}
                </summary>
                {family.subs.map((x) => (
                  <Cell key={x.technique} of={x} />
                ))}
              </details>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

function Matrix({ techniques }: { techniques: Technique[] }) {
  const bare = useSignal(false)
  const families = familiesOf(techniques)
  const shown = bare.value ? families : families.filter(isSeen)
  const named = new Set(families.flatMap((f) => f.head.tactics.split(', ')).filter(Boolean))
  const tactics = [...new Set([...TACTICS.filter((x) => named.has(x)), ...named])]
  const ruled = techniques.filter((x) => x.rules.length > 0)
  return (
    <div class="stack">
      <p>
        <strong>{t('seen', { n: ruled.length, all: techniques.length })}</strong> (
        {formatPercent(ruled.length / techniques.length)}) ·{' '}
        {t('tested', { n: formatNumber(ruled.filter((x) => x.tested > 0).length) })}
      </p>
      <Check label={t('bare')} value={bare.value} onValue={(on) => (bare.value = on)} />
      <p class="quiet small">{t('key')}</p>
      <div class="matrix">
        {tactics
          .map((name) => ({ name, families: shown.filter((f) => isOf(f, name)) }))
          .filter(({ families: of }) => of.length > 0)
          .map(({ name, families: of }) => (
            <Tactic key={name} name={name} families={of} />
          ))}
      </div>
    </div>
  )
}

export function Coverage() {
  const coverage = useLoad('coverage', (signal) => get('/coverage', { signal }))
  return <Show of={coverage}>{({ techniques }) => <Matrix techniques={techniques} />}</Show>
}
