import { useId, type ReactElement } from 'react';
import { Choices } from './choices.js';
import { textIn } from './text.in.js';
import { useUrlState } from './url.state.js';

/** A filter: a choice when it has options, else a text, for which there may be suggestions. */
interface Filter {
  name: string;
  label: string;
  options?: readonly string[];
  suggestions?: readonly string[];
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
      {filters.map(({ name, label, options, suggestions, placeholder }) => {
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
                <Choices options={options} value={value} />
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
                list={suggestions && `${id}-${name}-suggestions`}
                className={placeholder && placeholder.length > 20 ? 'wide' : undefined}
              />
            )}
            {suggestions && (
              <datalist id={`${id}-${name}-suggestions`}>
                {suggestions.map((each) => (
                  <option key={each} value={each} />
                ))}
              </datalist>
            )}
          </label>
        );
      })}
      <button>Search</button>
    </form>
  );
}
