=head1 NAME

VSearch::Crash - kill a server in the middle of its work

=head1 DESCRIPTION

Killing only the postmaster would let its backends finish, and even commit,
what they are doing.  crash() stops the postmaster first, so that it can
neither clean up nor start anything, and kills all processes of the server at
once: what was not yet written is lost.

=cut

package VSearch::Crash;

use strict;
use warnings FATAL => 'all';

use Carp qw(croak);
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use VSearch::Workload;

our @EXPORT = qw(
    crash
    crash_during
    crash_and_restart
);

# The fields of /proc/<pid>/stat after the command's name: state, parent, ...
sub _process_stat
{
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/stat" or return;
    my $line = <$in> // return;

    return unless $line =~ /\) (.*)$/;
    return split / /, $1;
}

sub _children
{
    my ($parent) = @_;
    my @children;

    foreach my $path (glob '/proc/[0-9]*')
    {
        my ($pid) = $path =~ /(\d+)$/;
        my @stat = _process_stat($pid);

        push @children, $pid if @stat && $stat[1] == $parent;
    }
    return @children;
}

# A process that nobody has reaped yet is dead all the same.
sub _is_running
{
    my ($pid) = @_;
    my @stat = _process_stat($pid);

    return @stat && $stat[0] ne 'Z';
}

# Kill all processes of the server and wait until they are gone.
sub crash
{
    my ($node) = @_;
    my $pid_file = $node->data_dir . '/postmaster.pid';
    my ($postmaster) = slurp_file($pid_file) =~ /^(\d+)/;

    kill 'STOP', $postmaster;
    my @children = _children($postmaster);
    kill 'KILL', @children;
    $node->kill9;

    my $deadline = time() + $PostgreSQL::Test::Utils::timeout_default;
    while (grep { _is_running($_) } $postmaster, @children)
    {
        croak 'the server does not die' if time() > $deadline;
        sleep 0.01;
    }

    # A postmaster that nobody has reaped would look alive to the next one.
    unlink $pid_file, $node->host . '/.s.PGSQL.' . $node->port . '.lock';
    return;
}

sub crash_and_restart
{
    my ($node) = @_;

    crash($node);
    $node->start;
    return;
}

# Let a background task (of VSearch::Workload) run for "delay" seconds, crash
# the server, start it again.  Returns whether the task was still at work.
sub crash_during
{
    my ($node, $task, $delay) = @_;

    sleep $delay;
    crash($node);
    my $was_running = !finish_task($task);
    $node->start;
    return $was_running;
}

1;
