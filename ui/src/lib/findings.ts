// SPDX-License-Identifier: EUPL-1.2
import { pick, texts } from './text'
import type { Finding } from './watch'

const t = texts({
  asleep: ['Vakan är inte vaken', 'The watch is not awake'],
  silent: ['Svarar inte: {names}', 'No answer from: {names}'],
  behind: ['Larmen är {n} s efter', 'Alerts are {n} s behind'],
  quarantined: [
    '{n} {n|loggpost|loggposter} kunde inte bedömas',
    '{n} {n|record|records} could not be judged'
  ],
  disk: ['Disken börjar bli full', 'The disk is filling up'],
  diskFull: ['Disken är full: snart tas inget emot', 'The disk is full: soon nothing is taken'],
  unproven: [
    'Nådde inte fram vid dagens prov: {ways}',
    'Did not get through in the daily proof: {ways}'
  ],
  quietSources: ['{n} {n|tyst källa|tysta källor}', '{n} silent {n|source|sources}'],
  lost: ['{n} {n|loggpost|loggposter} gick förlorade', '{n} {n|record|records} were lost'],
  clock: ['Klockan är inte synkroniserad', 'The clock is not synchronised'],
  refusedRules: ['{n} {n|regel|regler} kan inte användas', '{n} {n|rule|rules} cannot be used'],
  unreachable: ['Vaka svarar inte', 'Vaka does not answer']
})

export const findingText = (f: Finding) => (f.line ? pick(f.line) : t(f.key, f.values))
