"""What the pages share: templates, guard, headers, sessions, forms, paging, errors."""
