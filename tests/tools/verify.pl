#!/usr/bin/perl
# verify.pl - verifies RSA signatures with Mail::DKIM over a file of DNS
# records; prints what verify.py prints.  Mail::DKIM knows no Ed25519: such a
# signature is told as "skip" and does not count.
use strict;
use warnings;
use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;
use Net::DNS;

die "usage: verify.pl RECORDS [FILE...]\n" unless @ARGV;
my ($records, @files) = @ARGV;
my %txt;
open(my $in, '<', $records) or die "$records: $!\n";
while (<$in>) {
	next if /^\s*(#|$)/;
	my ($name, $value) = /^\s*(\S+)\s+(.*?)\s*$/ or next;
	$name =~ s/\.$//;
	$txt{lc $name} = $value;
}
close($in);

# A resolver that knows the file and nothing else.
package FileResolver;
sub new { return bless {}, shift }
sub errorstring { return 'NOERROR' }

sub send {
	my ($self, $name) = @_;
	my $packet = Net::DNS::Packet->new($name, 'TXT');
	$packet->header->qr(1);
	$name =~ s/\.$//;
	my $value = $txt{lc $name};
	if (!defined $value) {
		$packet->header->rcode('NXDOMAIN');
		return $packet;
	}
	my @parts = $value =~ /(.{1,255})/gs;
	$packet->push(answer => Net::DNS::RR->new(
		name => $name, type => 'TXT', ttl => 60, txtdata => \@parts));
	return $packet;
}

package main;
Mail::DKIM::DNS::resolver(FileResolver->new);

my $good = 1;
for my $path (@files ? @files : ('-')) {
	my $fh;
	if ($path eq '-') {
		$fh = \*STDIN;
	} else {
		open($fh, '<', $path) or die "$path: $!\n";
	}
	binmode $fh;
	local $/;
	my $message = <$fh>;
	$message =~ s/(?<!\r)\n/\r\n/g;
	my $verifier = Mail::DKIM::Verifier->new;
	$verifier->PRINT($message);
	$verifier->CLOSE;
	my $count = 0;
	for my $s ($verifier->signatures) {
		my $result = $s->result // 'none';
		my $detail = $s->result_detail // '';
		my $algorithm = $s->algorithm // '';
		$result = 'skip' if $algorithm =~ /^ed25519/;
		$count++ if $result ne 'skip';
		$good = 0 unless $result =~ /^(pass|skip)$/;
		print join("\t", $path, $algorithm, $s->domain // '',
			$s->selector // '', $result eq 'invalid' ? 'fail' : $result,
			$detail =~ /body has been altered/ ? 'mismatch' : 'match',
			$result eq 'pass' ? '' : $detail), "\n";
	}
	$good = 0 unless $count;
}
exit($good ? 0 : 1);
