//! The language that a person reads: English, or Chinese where the environment says so.

/// Chosen once from the environment, as other programs do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Lang {
    En,
    Zh,
}

impl Lang {
    pub fn of_environment() -> Self {
        let named = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
        Self::of_locale(named.into_iter().find(|locale| !locale.is_empty()).as_deref().unwrap_or_default())
    }

    fn of_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("zh") { Self::Zh } else { Self::En }
    }

    /// One of two texts.
    pub fn pick<T>(self, en: T, zh: T) -> T {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chinese_locale_reads_chinese() {
        for locale in ["zh_CN.UTF-8", "zh-TW", "ZH"] {
            assert_eq!(Lang::of_locale(locale), Lang::Zh);
        }
        for locale in ["", "C", "en_US.UTF-8", "de_DE"] {
            assert_eq!(Lang::of_locale(locale), Lang::En);
        }
    }
}
