import { useId, type ReactElement } from 'react';
import { textIn } from './text.in.js';
import { useUrlState } from './url.state.js';

/** A filter: a choice when it has options, else a text. */
interface Filter {
  name: string;
  label: string;
  options?: readonly string[];
  placeholder?: string;
}

/** Filters of a list; they stand in the address, so they outlive a reload and can be sent on. */
export function FilterBar({ filters }: { filters: readonly Filter[] }): ReactElement {
  const { get, set } = useUrlState();
  const id = useId();
  return (
    <form
      role="search"
      className="filters"
      onSubmit={(event) => {
        event.preventDefault();
        const form = new FormData(event.currentTarget);
        set(Object.fromEntries(filters.map(({ name }) => [name, textIn(form, name)])));
      }}
    >
      {filters.map(({ name, label, options, placeholder }) => {
        const value = get(name) ?? '';
        return (
          <label key={name} htmlFor={`${id}-${name}`}>
            {label}
            {options ? (
              <select
                id={`${id}-${name}`}
                name={name}
                value={value}
                onChange={({ currentTarget }) => set({ [name]: currentTarget.value })}
              >
                <option value="">any</option>
                {/* What the address says is always there: a search would else take it out. */}
                {[...new Set([...options, ...(value ? [value] : [])])].map((option) => (
                  <option key={option}>{option}</option>
                ))}
              </select>
            ) : (
              // A new address is a new field, which else would keep what was typed.
              <input
                key={value}
                id={`${id}-${name}`}
                name={name}
                type="search"
                defaultValue={value}
                placeholder={placeholder}
                className={placeholder && placeholder.length > 20 ? 'wide' : undefined}
              />
            )}
          </label>
        );
      })}
      <button>Search</button>
    </form>
  );
}
