import { render } from 'preact'
import { Page } from './page.tsx'
import './playground.css'

const root = document.getElementById('playground')
if (root !== null) render(<Page baseUrl={location.origin} />, root)
