//! `kube-vip completion bash|zsh|fish`: what a shell offers while one types, from the same tables that read it.

use crate::settings::{COMMAND, GENERATOR, SETTINGS};
use crate::status::command;
use model::settings::{Kind, Setting};

/// A word that can follow the program's name.
struct Word {
    name: &'static str,
    about: &'static str,
    /// Words that can follow it.
    kinds: &'static [&'static str],
    /// Flags that can follow those.
    flags: Vec<Setting>,
}

fn words() -> Vec<Word> {
    let word = |name, about, kinds, flags| Word { name, about, kinds, flags };
    let all = |beside: &[Setting]| SETTINGS.iter().chain(beside).copied().collect::<Vec<_>>();
    vec![
        word("manager", "Run.", &[], all(COMMAND)),
        word("status", "Print who answers for what.", &[], command::settings()),
        word("manifest", "Print a manifest.", &["pod", "daemonset", "rbac"], all(GENERATOR)),
        word("kubeadm", "Print a static pod.", &["init", "join"], all(GENERATOR)),
        word("completion", "Print what a shell completes by.", SHELLS, Vec::new()),
        word("version", "Print the version.", &[], Vec::new()),
        word("help", "Print all settings.", &[], Vec::new()),
    ]
}

/// Shells that can be helped.
const SHELLS: &[&str] = &["bash", "zsh", "fish"];

/// What the shell that `arguments` name is to load.
///
/// # Errors
/// A sentence that names those that are known.
pub fn script(arguments: &[String]) -> Result<String, String> {
    match arguments {
        [shell] if shell == "bash" => Ok(bash()),
        [shell] if shell == "zsh" => Ok(zsh()),
        [shell] if shell == "fish" => Ok(fish()),
        _ => Err(format!("completion: name one of {}", SHELLS.join(", "))),
    }
}

fn flags(word: &Word) -> impl Iterator<Item = &Setting> {
    word.flags.iter().filter(|setting| !setting.flag.is_empty())
}

fn bash() -> String {
    let names: Vec<_> = words().iter().map(|word| word.name).collect();
    let cases = words().iter().fold(String::new(), |mut cases, word| {
        let flags: Vec<_> = flags(word).map(|setting| format!("--{}", setting.flag)).collect();
        if !word.kinds.is_empty() {
            let kinds = word.kinds.join(" ");
            cases.push_str(&format!("  2:{}) choices='{kinds}' ;;\n", word.name));
        }
        cases.push_str(&format!("  *:{}) choices='{}' ;;\n", word.name, flags.join(" ")));
        cases
    });
    format!(
        "# bash completion of kube-vip: source <(kube-vip completion bash)
_kube_vip() {{
  local choices=''
  case $COMP_CWORD:${{COMP_WORDS[1]}} in
  1:*) choices='{}' ;;
{cases}  esac
  mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"${{COMP_WORDS[COMP_CWORD]}}\")
}}
complete -o default -F _kube_vip kube-vip
",
        names.join(" ")
    )
}

fn zsh() -> String {
    let choice = |name: &str, about: &str| {
        let about = about.replace('\'', "'\\''").replace(':', "\\:");
        format!("'{name}:{about}'")
    };
    let names: Vec<_> = words().iter().map(|word| choice(word.name, word.about)).collect();
    let cases = words().iter().fold(String::new(), |mut cases, word| {
        let flags = flags(word).map(|it| choice(&format!("--{}", it.flag), it.help));
        let flags: Vec<_> = flags.collect();
        if !word.kinds.is_empty() {
            let kinds = word.kinds.join(" ");
            cases.push_str(&format!("    (3:{}) choices=({kinds}) ;;\n", word.name));
        }
        cases.push_str(&format!("    (*:{}) choices=({}) ;;\n", word.name, flags.join(" ")));
        cases
    });
    format!(
        "#compdef kube-vip
# zsh completion of kube-vip: source <(kube-vip completion zsh)
_kube_vip() {{
  local -a choices
  case \"$CURRENT:${{words[2]}}\" in
    (2:*) choices=({}) ;;
{cases}  esac
  _describe -o kube-vip choices || _files
}}
compdef _kube_vip kube-vip
",
        names.join(" ")
    )
}

fn fish() -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let mut text = "# fish completion of kube-vip: kube-vip completion fish | source\n".to_owned();
    for word in words() {
        let (name, about) = (word.name, quoted(word.about));
        text.push_str(&format!(
            "complete -c kube-vip -n __fish_use_subcommand -f -a {name} -d {about}\n"
        ));
        let after = format!("complete -c kube-vip -n '__fish_seen_subcommand_from {name}'");
        if !word.kinds.is_empty() {
            text.push_str(&format!("{after} -f -a {}\n", quoted(&word.kinds.join(" "))));
        }
        for setting in flags(&word) {
            let value = if setting.kind == Kind::Switch { "" } else { " -r" };
            let (flag, help) = (setting.flag, quoted(setting.help));
            text.push_str(&format!("{after} -l {flag}{value} -d {help}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn script(shell: &str) -> String {
        super::script(&[shell.to_owned()]).unwrap()
    }

    /// What bash offers for the last of `typed`.
    fn offered(typed: &[&str]) -> Vec<String> {
        let words = typed.join("' '");
        let last = typed.len() - 1;
        let script = format!(
            "{}COMP_WORDS=('{words}'); COMP_CWORD={last}; _kube_vip; echo \"${{COMPREPLY[@]}}\"",
            script("bash")
        );
        let output = Command::new("bash").args(["--norc", "-c", &script]).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        said.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn bash_offers_commands_kinds_and_flags() {
        assert_eq!(offered(&["kube-vip", "man"]), ["manager", "manifest"]);
        assert_eq!(offered(&["kube-vip", "manifest", ""]), ["pod", "daemonset", "rbac"]);
        assert_eq!(offered(&["kube-vip", "manifest", "pod", "--imag"]), ["--image"]);
        assert_eq!(offered(&["kube-vip", "manager", "--imag"]), [""; 0]);
        assert_eq!(offered(&["kube-vip", "manager", "--helloP"]), ["--helloPort"]);
    }

    #[test]
    fn every_shell_is_told_every_flag() {
        for shell in SHELLS {
            let text = script(shell);
            let dashes = if *shell == "fish" { "-l " } else { "--" };
            for setting in SETTINGS.iter().filter(|setting| !setting.flag.is_empty()) {
                let flag = format!("{dashes}{}", setting.flag);
                assert!(text.contains(&flag), "{shell}: {flag}");
            }
        }
        assert!(super::script(&["csh".to_owned()]).is_err());
        assert!(super::script(&[]).is_err());
    }
}
