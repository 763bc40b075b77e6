import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { curlOf, inputFile, needsFile, type Snippet, typescriptOf } from './snippet.ts'

/** The call that the form shows, as lines to take along. */
export function SnippetView({ snippet }: { readonly snippet: Snippet }): JSX.Element {
  const { fn, draft, baseUrl, hasToken, where } = snippet
  const { curl, typescript, input } = useMemo(() => {
    const given = { fn, draft, baseUrl, hasToken, where }
    const text = needsFile(given) ? JSON.stringify(draft.input) : null
    return { curl: curlOf(given), typescript: typescriptOf(given), input: text }
  }, [fn, draft, baseUrl, hasToken, where])
  return (
    <div class="snippets">
      <Lines title="curl" text={curl} />
      <Lines title="TypeScript" text={typescript} />
      {input === null ? null : (
        <p class="row">
          <span class="note">
            The input is long: save it as <code>{inputFile}</code> beside the lines.
          </span>
          <CopyButton text={input} name={inputFile} />
        </p>
      )}
    </div>
  )
}

function Lines({ title, text }: { readonly title: string; readonly text: string }): JSX.Element {
  return (
    <figure class="lines">
      <figcaption>
        {title}
        <CopyButton text={text} name={title} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys. */}
      <pre tabIndex={0}>{text}</pre>
    </figure>
  )
}

function CopyButton({ text, name }: { readonly text: string; readonly name: string }): JSX.Element {
  const [told, setTold] = useState<{ readonly text: string; readonly word: string } | null>(null)
  const copy = async (): Promise<void> => {
    // A page that is not secure has no clipboard.
    const done = navigator.clipboard?.writeText(text).then(
      () => 'Copied',
      () => 'Not copied',
    )
    setTold({ text, word: (await done) ?? 'Not copied' })
  }
  const word = told?.text === text ? told.word : 'Copy'
  return (
    <button type="button" class="quiet" onClick={() => void copy()} aria-label={`${word} ${name}`}>
      <span aria-live="polite">{word}</span>
    </button>
  )
}
