// SPDX-License-Identifier: EUPL-1.2
// Settings for the most common senders, ready to be copied, and a light that shows when one is heard.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get, type Schema } from '../lib/api'
import { useLoad } from '../lib/load'
import { texts } from '../lib/text'
import { Select } from './field'
import { Lamp, Time } from './marks'
import { Recipe } from './recipe'

const t = texts({
  sender: ['Avsändare', 'Sender'],
  where: [
    'Byt ut portarna om de är andra i vaka.yaml. Certifikatet heter server.crt.',
    'Change the ports if they are others in vaka.yaml. The certificate is server.crt.'
  ],
  waiting: ['Lyssnar. Ingen har hörts än.', 'Listening. Nobody was heard yet.'],
  heard: ['Jag hör dig: {source}', 'I hear you: {source}'],
  records: ['{n} {n|loggpost|loggposter}', '{n} {n|record|records}']
})

interface Sender {
  id: string
  name: string
  text: (host: string) => string
}

const SENDERS: Sender[] = [
  {
    id: 'rsyslog',
    name: 'Linux (rsyslog)',
    text: (host) => `# /etc/rsyslog.d/60-vaka.conf
*.* action(type="omfwd" target="${host}" port="6514" protocol="tcp"
           StreamDriver="gtls" StreamDriverMode="1" StreamDriverAuthMode="x509/name"
           action.resumeRetryCount="-1" queue.type="LinkedList" queue.filename="vaka"
           queue.saveOnShutdown="on")`
  },
  {
    id: 'winlogbeat',
    name: 'Windows (Winlogbeat)',
    text: (host) => `# winlogbeat.yml
winlogbeat.event_logs:
  - name: Security
  - name: System
  - name: Microsoft-Windows-Sysmon/Operational
  - name: Microsoft-Windows-PowerShell/Operational
output.logstash:
  hosts: ["${host}:5044"]`
  },
  {
    id: 'nxlog',
    name: 'Windows (NXLog CE)',
    text: (host) => `# nxlog.conf
<Input events>
  Module im_msvistalog
</Input>
<Output vaka>
  Module om_ssl
  Host ${host}
  Port 6514
  Exec to_json();
</Output>
<Route all>
  Path events => vaka
</Route>`
  },
  {
    id: 'fortigate',
    name: 'Fortinet FortiGate',
    text: (host) => `config log syslogd setting
    set status enable
    set server "${host}"
    set mode reliable
    set port 601
    set format default
end`
  },
  {
    id: 'panos',
    name: 'Palo Alto PAN-OS',
    text: (host) => `set shared log-settings syslog Vaka server vaka server ${host}
set shared log-settings syslog Vaka server vaka transport TCP
set shared log-settings syslog Vaka server vaka port 601
set shared log-settings syslog Vaka server vaka format IETF`
  },
  {
    id: 'asa',
    name: 'Cisco ASA',
    text: (host) => `logging enable
logging timestamp
logging trap informational
logging host inside ${host} tcp/601`
  },
  {
    id: 'ios',
    name: 'Cisco IOS',
    text: (host) => `service timestamps log datetime msec show-timezone year
logging host ${host} transport tcp port 601
logging trap informational`
  },
  {
    id: 'esxi',
    name: 'VMware ESXi',
    text: (host) => `esxcli system syslog config set --loghost='tcp://${host}:601'
esxcli system syslog reload
esxcli network firewall ruleset set --ruleset-id=syslog --enabled=true`
  },
  {
    id: 'journal',
    name: 'systemd-journal-upload',
    text: (host) => `# /etc/systemd/journal-upload.conf
[Upload]
URL=https://${host}:8080
TrustedCertificateFile=/etc/ssl/vaka/server.crt`
  },
  {
    id: 'curl',
    name: 'curl (NDJSON)',
    text: (host) => `curl --cacert server.crt -H "Authorization: Bearer $TOKEN" \\
     --data-binary @events.ndjson https://${host}:8080/api/ingest`
  }
]

const ASK_EVERY = 2000 // ms

interface Source {
  input: string
  listener: string
  identity: string
  address: string
  seen: number
  records?: { stored: number }
  requests?: { stored: number }
}
const keyOf = (s: Source) => JSON.stringify([s.input, s.listener, s.identity, s.address])

// Who was ever heard, with what came from him since the start.
function heardOf(answer: Schema<'Sources'> | undefined): Source[] {
  const list = (name: 'sources' | 'received') => (answer?.[name] ?? []) as unknown as Source[]
  const all = new Map([...list('sources'), ...list('received')].map((s) => [keyOf(s), s]))
  return [...all.values()].sort((a, b) => b.seen - a.seen)
}

const stored = (s: Source) => (s.records?.stored ?? 0) + (s.requests?.stored ?? 0)

function Light() {
  const sources = useLoad('sources', (signal) => get('/sources', { signal }))
  useEffect(() => {
    const timer = setInterval(sources.reload, ASK_EVERY)
    return () => clearInterval(timer)
  }, [])
  const heard = heardOf(sources.value)
  return (
    <div class="note" role="status">
      {heard.length === 0 && (
        <p class="watch-state">
          <Lamp is="unknown" /> {t('waiting')}
        </p>
      )}
      <ul>
        {heard.map((s) => (
          <li key={keyOf(s)} class="watch-state">
            <Lamp is="well" />
            <span>
              {t('heard', { source: `${s.input} ${s.identity || s.address}` })} ·{' '}
              {stored(s) > 0 && `${t('records', { n: stored(s) })} · `}
              <Time at={new Date(s.seen * 1000).toISOString()} show="ago" />
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}

export default function FirstSource() {
  const chosen = useSignal(SENDERS[0]?.id ?? '')
  const sender = SENDERS.find((s) => s.id === chosen.value)
  const text = sender?.text(location.hostname) ?? ''
  return (
    <div class="stack">
      <Select
        label={t('sender')}
        value={chosen.value}
        options={SENDERS.map((s) => ({ value: s.id, text: s.name }))}
        onValue={(v) => (chosen.value = v)}
      />
      <Recipe name={sender?.name} text={text} />
      <p class="quiet small">{t('where')}</p>
      <Light />
    </div>
  )
}
