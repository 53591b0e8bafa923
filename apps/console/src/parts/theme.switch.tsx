import { useState, type ReactElement } from 'react';

const KEPT_AS = 'callsheet-theme';
type Theme = 'light' | 'dark';

/** Light or dark: as the system says until somebody chooses here. */
export function ThemeSwitch(): ReactElement {
  const [theme, setTheme] = useState<Theme>(() => apply(chosen() ?? ofSystem()));
  const other: Theme = theme === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      className="plain"
      aria-label={`Use the ${other} theme`}
      onClick={() => {
        localStorage.setItem(KEPT_AS, other);
        setTheme(apply(other));
      }}
    >
      {theme === 'dark' ? '☀' : '☾'}
    </button>
  );
}

function chosen(): Theme | undefined {
  const kept = localStorage.getItem(KEPT_AS);
  return kept === 'light' || kept === 'dark' ? kept : undefined;
}

function ofSystem(): Theme {
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

function apply(theme: Theme): Theme {
  document.documentElement.style.colorScheme = theme;
  return theme;
}
