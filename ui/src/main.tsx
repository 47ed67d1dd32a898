// SPDX-License-Identifier: EUPL-1.2
import { render } from 'preact'
import { App } from './app'
import { keepTime } from './lib/format'
import { listenKeys } from './lib/keys'
import { enter } from './lib/login'
import { applyPrefs } from './lib/prefs'
import { learnWords } from './lib/text'

applyPrefs()
keepTime()
listenKeys()
void enter()
const root = document.getElementById('app')
void learnWords().then(() => root && render(<App />, root))
