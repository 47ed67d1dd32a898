// SPDX-License-Identifier: EUPL-1.2
import { useSignal } from '@preact/signals'
import { act, type Incident } from '../../lib/acts'
import { may } from '../../lib/session'
import { texts } from '../../lib/text'
import { toastProblem } from '../../lib/toasts'
import { TextDialog } from '../../parts/acts'
import { Time } from '../../parts/marks'

const t = texts({
  tasks: ['Uppgifter', 'Tasks'],
  none: ['Inga uppgifter.', 'No tasks.'],
  add: ['Ny uppgift …', 'New task …'],
  title: ['Ny uppgift', 'New task'],
  label: ['Vad ska göras, och av vem', 'What is to be done, and by whom'],
  save: ['Lägg till', 'Add'],
  added: ['Uppgiften är tillagd', 'The task was added'],
  done: ['Klar', 'Done'],
  doneOne: ['Klar: {text}', 'Done: {text}'],
  by: ['klar, {who}', 'done, {who}']
})

interface TasksProps {
  incident: Incident
  reload: () => void
}

export function Tasks({ incident, reload }: TasksProps) {
  const adding = useSignal(false)
  const write = may('incidents.write')
  const finish = async (task: number) => {
    await act(incident, 'task_done', { task }).catch(toastProblem)
    reload()
  }
  return (
    <section class="panel" aria-labelledby="tasks">
      <header>
        <h2 id="tasks">{t('tasks')}</h2>
        {write && incident.state !== 'closed' && (
          <button type="button" class="button bare" onClick={() => (adding.value = true)}>
            {t('add')}
          </button>
        )}
      </header>
      {!incident.tasks?.length && <p class="quiet">{t('none')}</p>}
      <ul class="plain-list">
        {incident.tasks?.map((task) => (
          <li key={task.id} class="task">
            <span class="wrap">{task.text}</span>
            {task.done ? (
              <span class="quiet small">
                {t('by', { who: task.done_by ?? '–' })} <Time at={task.done} show="ago" />
              </span>
            ) : (
              write && (
                <button
                  type="button"
                  class="button bare"
                  aria-label={t('doneOne', { text: task.text })}
                  onClick={() => finish(task.id)}
                >
                  {t('done')}
                </button>
              )
            )}
          </li>
        ))}
      </ul>
      {adding.value && (
        <TextDialog
          of={[incident]}
          name="task"
          member="text"
          title={t('title')}
          label={t('label')}
          action={t('save')}
          done={t('added')}
          onClose={() => (adding.value = false)}
          onDone={reload}
        />
      )}
    </section>
  )
}
